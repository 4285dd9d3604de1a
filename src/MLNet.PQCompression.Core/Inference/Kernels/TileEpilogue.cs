using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>What becomes of a tile's sums: y = min(max(scale·(sums + partial) + bias + residual, low), high), channel by channel.</summary>
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

    /// <summary>Whether the output holds the sums of an earlier part of the weights.</summary>
    public bool HasPartial;

    /// <summary>Whether these are the last sums; others are stored as they are.</summary>
    public bool Final;

    /// <summary>Applies the epilogue to [pixels, 32] sums.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Apply(float* sums, int pixels, bool wide)
    {
        for (int half = 0; half < (wide ? 2 : 1); half++)
            if (Vector512.IsHardwareAccelerated)
                Apply512(sums + 16 * half, pixels, half);
            else
                for (int channel = 0; channel < 16; channel += 4)
                    Apply128(sums + 16 * half + channel, pixels, half, channel);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void Apply512(float* sums, int pixels, int half)
    {
        Vector512<float> scale = Vector512.Load(Scale + 16 * half), bias = Vector512.Load(Bias + 16 * half);
        Vector512<float> low = Vector512.Create(Low), high = Vector512.Create(High);
        for (int p = 0; p < pixels; p++)
        {
            nint pixel = (p < 7 ? p : p - 7) * PixelStride;
            float* y = (p < 7 ? Y : Y7) + half * BlockStride + pixel;
            Vector512<float> v = Vector512.Load(sums + p * TileOperands.PanelWidth);
            if (HasPartial)
                v += Vector512.Load(y);
            if (Final)
            {
                v = Vector512.MultiplyAddEstimate(v, scale, bias);
                if (Residual != null)
                    v += Vector512.Load((p < 7 ? Residual : Residual7) + half * ResidualBlockStride + pixel);
                v = Vector512.Min(Vector512.Max(v, low), high);
            }
            v.Store(y);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void Apply128(float* sums, int pixels, int half, int channel)
    {
        Vector128<float> scale = Vector128.Load(Scale + 16 * half + channel), bias = Vector128.Load(Bias + 16 * half + channel);
        Vector128<float> low = Vector128.Create(Low), high = Vector128.Create(High);
        for (int p = 0; p < pixels; p++)
        {
            nint pixel = (p < 7 ? p : p - 7) * PixelStride + channel;
            float* y = (p < 7 ? Y : Y7) + half * BlockStride + pixel;
            Vector128<float> v = Vector128.Load(sums + p * TileOperands.PanelWidth);
            if (HasPartial)
                v += Vector128.Load(y);
            if (Final)
            {
                v = Vector128.MultiplyAddEstimate(v, scale, bias);
                if (Residual != null)
                    v += Vector128.Load((p < 7 ? Residual : Residual7) + half * ResidualBlockStride + pixel);
                v = Vector128.Min(Vector128.Max(v, low), high);
            }
            v.Store(y);
        }
    }
}
