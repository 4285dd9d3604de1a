using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace MLNet.PQCompression.Reporting;

/// <summary>All that is known of one compression, to be read by people (<see cref="Html.HtmlReport"/>) and programs (<see cref="ReportJson"/>).</summary>
public sealed record CompressionDocument
{
    /// <summary>The file of the JSON schema that describes this, relative to the document's own.</summary>
    [JsonPropertyName("$schema")]
    [JsonPropertyOrder(-1)]
    public string Schema { get; init; } = "compression-report.schema.json";

    /// <summary>The file that was compressed.</summary>
    public required string Model { get; init; }

    /// <summary>Bytes of that file.</summary>
    public required long ModelBytes { get; init; }

    /// <summary>What was done and written, layer by layer.</summary>
    public required CompressionSummary Summary { get; init; }

    /// <summary>The images and what was assumed about them.</summary>
    public required ImagesUsed Images { get; init; }

    /// <summary>What less and more bytes would give, by the model of errors that chose the plan; empty where no budget was given.</summary>
    public IReadOnlyList<CurvePoint> Curve { get; init; } = [];

    /// <summary>Names of the classes by index; empty where they are not known.</summary>
    public IReadOnlyList<string> Classes { get; init; } = [];

    /// <summary>The settings in effect, as a configuration file holds them.</summary>
    public required JsonObject Configuration { get; init; }

    /// <summary>By what and where it was made.</summary>
    public required MadeBy MadeBy { get; init; }
}

/// <summary>The images of a compression.</summary>
/// <param name="Source">Where they came from.</param>
/// <param name="Found">How many there are.</param>
/// <param name="Used">From how many statistics were taken.</param>
/// <param name="HeldOut">How many were kept out for the check at the end.</param>
/// <param name="Preprocessing">How an image becomes the network's input.</param>
/// <param name="PreprocessingFrom">Where that is known from: the model's metadata, an option, or an assumption.</param>
public sealed record ImagesUsed(string Source, int Found, int Used, int HeldOut, string Preprocessing, string PreprocessingFrom);

/// <summary>A size and the divergence that is expected of the best plan of that size.</summary>
/// <param name="FileBytes">Bytes of the file.</param>
/// <param name="Divergence">KL in nats or 1 − cosine, by the sum of what each layer alone costs.</param>
/// <param name="IsChosen">Whether this is the plan that was carried out.</param>
public readonly record struct CurvePoint(long FileBytes, double Divergence, bool IsChosen = false);

/// <summary>By what and where something was made.</summary>
/// <param name="Version">This library's version.</param>
/// <param name="Commit">The commit it was built from, or null where the build does not tell.</param>
/// <param name="TeacherSha256">SHA-256 of the file that was compressed, in lower-case hexadecimal.</param>
/// <param name="System">The operating system and the processor's architecture.</param>
/// <param name="Processors">Threads that run at a time.</param>
/// <param name="VectorBits">The width of the vectors that kernels compute with.</param>
/// <param name="Runtime">The .NET runtime.</param>
public sealed record MadeBy(string Version, string? Commit, string? TeacherSha256, string System, int Processors, int VectorBits, string Runtime)
{
    /// <summary>This library on this machine.</summary>
    public static MadeBy Here(string? teacherSha256) => new(
        BuildVersion.Number, BuildVersion.Commit, teacherSha256,
        global::System.Runtime.InteropServices.RuntimeInformation.RuntimeIdentifier, Environment.ProcessorCount, Inference.InferenceSession.VectorBits,
        global::System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription);
}
