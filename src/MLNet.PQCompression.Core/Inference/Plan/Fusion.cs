using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Inference.Plan;

/// <summary>What is computed on a layer's sums before they are stored: y = f(clamp(scale·sum + bias + residual)), channel by channel.</summary>
/// <param name="Scale">A factor for each output channel.</param>
/// <param name="Bias">An addend for each output channel.</param>
/// <param name="Residual">A value of the output's shape to add, or null.</param>
/// <param name="Low">The lower bound.</param>
/// <param name="High">The upper bound.</param>
/// <param name="Function">A function of the result, or null.</param>
internal sealed record Fusion(float[] Scale, float[] Bias, PlanValue? Residual, float Low, float High, PlaneFunction? Function = null)
{
    private float[]? _pinnedScale, _pinnedBias;

    /// <summary>Nothing but the sums times a factor.</summary>
    public static Fusion Scaled(int channels, float factor)
    {
        var scale = new float[channels];
        for (int c = 0; c < channels; c++)
            scale[c] = factor;
        return new(scale, new float[channels], null, float.NegativeInfinity, float.PositiveInfinity);
    }

    /// <summary>Scale and bias filled up with zeros to whole panels, at addresses that stay; all ways to compute the layer share them.</summary>
    public (float[] Scale, float[] Bias) Pinned(int panels) => (_pinnedScale ??= Pinned(Scale, panels), _pinnedBias ??= Pinned(Bias, panels));

    private static float[] Pinned(float[] values, int panels)
    {
        float[] pinned = GC.AllocateArray<float>(panels * 32, pinned: true);
        values.CopyTo(pinned, 0);
        return pinned;
    }
}
