using System.Runtime.CompilerServices;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>What becomes of a tile's sums: y = min(max(scale·sums + bias + residual, low), high), channel by channel.</summary>
internal unsafe struct TileEpilogue
{
    /// <summary>The output of pixel 0 and of pixel 7 for the panel's first 16 channels.</summary>
    public float* Y, Y7;

    /// <summary>The values added to the output of pixel 0 and of pixel 7, or null.</summary>
    public float* Residual, Residual7;

    /// <summary>Distance between neighbouring pixels of the output, and of the residual.</summary>
    public nint PixelStride;

    /// <summary>Distance between the first 16 and the last 16 channels of the panel, in the output and in the residual.</summary>
    public nint BlockStride, ResidualBlockStride;

    /// <summary>32 values each.</summary>
    public float* Scale, Bias;

    /// <summary>The bounds.</summary>
    public float Low, High;

    /// <summary>Applies the epilogue to [pixels, 32] sums of up to seven pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Apply<TVector>(float* sums, int pixels, bool wide)
        where TVector : struct, IFloatVector<TVector>
    {
        TVector low = TVector.Create(Low), high = TVector.Create(High);
        for (int channel = 0; channel < (wide ? 32 : 16); channel += TVector.Count)
        {
            TVector scale = TVector.Load(Scale + channel), bias = TVector.Load(Bias + channel);
            float* s = sums + channel, y = Y + channel / 16 * BlockStride + channel % 16, residual = Residual + channel / 16 * ResidualBlockStride + channel % 16;
            for (int p = 0; p < pixels; p++, s += TileOperands.PanelWidth, y += PixelStride, residual += PixelStride)
            {
                TVector value = TVector.MultiplyAdd(TVector.Load(s), scale, bias);
                if (Residual != null)
                    value += TVector.Load(residual);
                TVector.Clamp(value, low, high).Store(y);
            }
        }
    }
}
