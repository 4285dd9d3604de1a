namespace MLNet.PQCompression.Inference.Plan;

/// <summary>What is computed on a layer's sums before they are stored: y = clamp(scale·sum + bias + residual), channel by channel.</summary>
/// <param name="Scale">A factor for each output channel.</param>
/// <param name="Bias">An addend for each output channel.</param>
/// <param name="Residual">A value of the output's shape to add, or null.</param>
/// <param name="Low">The lower bound.</param>
/// <param name="High">The upper bound.</param>
internal sealed record Fusion(float[] Scale, float[] Bias, PlanValue? Residual, float Low, float High)
{
    /// <summary>Nothing but the sums.</summary>
    public static Fusion None(int channels)
    {
        var ones = new float[channels];
        ones.AsSpan().Fill(1);
        return new(ones, new float[channels], null, float.NegativeInfinity, float.PositiveInfinity);
    }

    /// <summary>Scale and bias filled up with zeros to whole panels, at addresses that stay.</summary>
    public (float[] Scale, float[] Bias) Pinned(int panels)
    {
        float[] scale = GC.AllocateArray<float>(panels * 32, pinned: true), bias = GC.AllocateArray<float>(panels * 32, pinned: true);
        Scale.CopyTo(scale, 0);
        Bias.CopyTo(bias, 0);
        return (scale, bias);
    }
}
