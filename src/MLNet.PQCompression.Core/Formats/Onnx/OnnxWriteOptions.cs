namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>How a model is written as ONNX.</summary>
public sealed record OnnxWriteOptions
{
    /// <summary>The first operator set that can be written.</summary>
    public const int MinOpset = 11;

    /// <summary>The operator set of graphs that come from no ONNX file.</summary>
    public const int UsualOpset = 17;

    /// <summary>The last operator set that can be written.</summary>
    public const int MaxOpset = 21;

    /// <summary>
    /// The operator set, 11 to 21, in which the whole graph is written anew; null keeps a graph that was read from ONNX in its document, and writes others in <see cref="UsualOpset"/>.
    /// </summary>
    public int? Opset { get; init; }

    /// <summary>The most bytes of the file itself: 2 GB less 1 MB, which is as much as a message of ONNX holds.</summary>
    public long MaxFileBytes { get; init; } = int.MaxValue - (1 << 20);

    /// <summary>Where tensors go when the file would be larger than <see cref="MaxFileBytes"/>: a file in the folder of the model. Null is the model's path and ".data", and refuses what is written to a stream.</summary>
    public string? DataFile { get; init; }

    /// <summary>True writes every weight dense, as float32.</summary>
    public bool Dense { get; init; }

    /// <summary>
    /// False folds the running mean and variance of a BatchNormalization into its scale and bias, which computes the same and saves half of its bytes.
    /// True keeps all four tensors.
    /// </summary>
    public bool KeepBatchNormStatistics { get; init; }

    /// <summary>True keeps the names of all nodes and values of an ONNX document; false shortens those that nothing outside the file sees.</summary>
    public bool KeepNames { get; init; }
}
