namespace ScoringWeb;

/// <summary>The section "Scoring" of the configuration.</summary>
public sealed class ScoringOptions
{
    /// <summary>The uncompressed network; by default the one that comes with the repository.</summary>
    public string Teacher { get; set; } = Path.Combine(AppContext.BaseDirectory, "datasets", "shapes10", "teacher.onnx");

    /// <summary>The compressed network. It is made at the first start, from <see cref="Unlabelled"/>, where it is missing.</summary>
    public string Student { get; set; } = Path.Combine("output", "scoring-web.pq.onnx");

    /// <summary>Images for compression: a folder or a zip.</summary>
    public string Unlabelled { get; set; } = Path.Combine(AppContext.BaseDirectory, "datasets", "shapes10", "unlabelled.zip");

    /// <summary>How many images compression looks at.</summary>
    public int Images { get; set; } = 1024;

    /// <summary>The largest upload, in bytes.</summary>
    public long MaxUploadBytes { get; set; } = 8 << 20;

    /// <summary>The largest picture, in pixels; larger ones are refused before they are decoded.</summary>
    public int MaxPixels { get; set; } = 40_000_000;

    /// <summary>How many pictures are scored at once.</summary>
    public int ConcurrentCalls { get; set; } = Environment.ProcessorCount;

    /// <summary>How many calls wait for their turn; those beyond are answered with 503.</summary>
    public int WaitingCalls { get; set; } = 512;
}
