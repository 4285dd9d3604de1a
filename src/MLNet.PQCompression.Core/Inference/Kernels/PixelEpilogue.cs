namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>What becomes of 16 outputs of some pixels: y = min(max(scale·sums + bias + residual, low), high).</summary>
internal unsafe struct PixelEpilogue
{
    /// <summary>16 values each.</summary>
    public float* Scale, Bias;

    /// <summary>The bounds.</summary>
    public float Low, High;

    /// <summary>Where the 16 outputs lie, from a pixel's first, in the output and in the residual.</summary>
    public nint Target, Residual;

    /// <summary>Finishes the sums of one pixel.</summary>
    public readonly void Apply<TVector>(float* sums, PixelPlace* place)
        where TVector : struct, IFloatVector<TVector>
    {
        TVector low = TVector.Create(Low), high = TVector.Create(High);
        for (int lane = 0; lane < 16; lane += TVector.Count)
        {
            TVector value = TVector.MultiplyAdd(TVector.Load(sums + lane), TVector.Load(Scale + lane), TVector.Load(Bias + lane));
            if (place->Residual != null)
                value += TVector.Load(place->Residual + Residual + lane);
            TVector.Clamp(value, low, high).Store(place->Target + Target + lane);
        }
    }
}

/// <summary>Where a pixel is read and written.</summary>
internal unsafe struct PixelPlace
{
    public float* Input, Target, Residual;
}
