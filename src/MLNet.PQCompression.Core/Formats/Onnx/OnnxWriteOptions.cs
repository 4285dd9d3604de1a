namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>How a model is written as ONNX.</summary>
public sealed record OnnxWriteOptions
{
    /// <summary>The first operator set that can be written.</summary>
    public const int MinOpset = 11;

    /// <summary>The last operator set that can be written.</summary>
    public const int MaxOpset = 21;

    /// <summary>The operator set, 11 to 21.</summary>
    public int Opset { get; init; } = 17;

    /// <summary>True writes every weight dense, as float32.</summary>
    public bool Dense { get; init; }

    /// <summary>
    /// False folds the running mean and variance of a BatchNormalization into its scale and bias, which computes the same and saves half of its bytes.
    /// True keeps all four tensors.
    /// </summary>
    public bool KeepBatchNormStatistics { get; init; }
}
