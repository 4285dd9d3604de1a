using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Data;

namespace MLNet.PQCompression.Reporting;

/// <summary>What a compression did and wrote.</summary>
public sealed record CompressionSummary
{
    /// <summary>The file that was written.</summary>
    public required string Output { get; init; }

    /// <summary>The images the statistics were taken from.</summary>
    public required int Images { get; init; }

    /// <summary>The teacher's parameters in float32, counted as the paper does.</summary>
    public required long DenseBytes { get; init; }

    /// <summary>The student's, counted as the paper does; see <see cref="PaperAccounting"/>.</summary>
    public required long PaperBytes { get; init; }

    /// <summary>Bytes of the file that was written.</summary>
    public required long FileBytes { get; init; }

    /// <summary>Every convolution and linear layer in order.</summary>
    public required IReadOnlyList<LayerSummary> Layers { get; init; }

    /// <summary>How near the compressed network is to its teacher on images kept out; null where none were.</summary>
    public HeldOutReport? HeldOut { get; init; }

    /// <summary>How near each output is to the teacher's on the images held out, where the network has several or is run by ONNX Runtime; else empty.</summary>
    public IReadOnlyList<OutputFigures> Outputs { get; init; } = [];

    /// <summary>The images that could not be read and were left out.</summary>
    public IReadOnlyList<SkippedImage> Skipped { get; init; } = [];

    /// <summary>What it ran on: "managed, 2 threads".</summary>
    public string Backend { get; init; } = "";

    /// <summary>The time it took, reading and writing included.</summary>
    public double Seconds { get; init; }

    /// <summary>Sums up a compression.</summary>
    /// <param name="result">What was done.</param>
    /// <param name="output">The file that was written.</param>
    /// <param name="fileBytes">Its size.</param>
    public static CompressionSummary Of(CompressionResult result, string output, long fileBytes)
    {
        ArgumentNullException.ThrowIfNull(result);
        CompressionReport report = result.Report;
        return new()
        {
            Output = output,
            Images = report.Images,
            DenseBytes = report.DenseBytes,
            PaperBytes = report.PaperBytes,
            FileBytes = fileBytes,
            Layers = [.. report.Layers.Select(l => LayerSummary.Of(l, result.Student.Initializers[l.Plan.Weight]))],
            Backend = report.Backend,
            Seconds = report.Seconds,
        };
    }
}
