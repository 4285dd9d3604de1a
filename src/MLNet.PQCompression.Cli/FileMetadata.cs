using System.Text;
using System.Text.Json.Nodes;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli;

/// <summary>What compress keeps in the file beside the network and its preprocessing: class names, the settings, and where it comes from.</summary>
/// <param name="Names">Names of the classes, or null.</param>
/// <param name="Options">How it is compressed.</param>
/// <param name="Settings">The settings that were given.</param>
/// <param name="TeacherSha256">The hash of the teacher's file.</param>
internal sealed record FileMetadata(IReadOnlyList<string>? Names, CompressionOptions Options, JsonObject Settings, string TeacherSha256)
{
    /// <summary>The key of the settings.</summary>
    public const string ConfigurationKey = "pq.configuration";

    /// <summary>What an entry takes besides its key and value, at most.</summary>
    private const int EntryBytes = 16;

    /// <summary>The network with it.</summary>
    public ModelGraph AddTo(CompressionResult result) => result.Student.WithMetadata(result.Student.Metadata.SetItems(Entries(result.Report)));

    /// <summary>Bytes that it takes in the file at most.</summary>
    public int MostBytes(ModelGraph teacher)
    {
        CompressionPlan plan = CompressionPlan.Create(teacher, Options);
        var longest = new CompressionReport([.. plan.Layers.Select(l => new LayerReport(l, 0.1234, [], 0))], int.MaxValue, 0, 0, 0);
        return Entries(longest).Sum(e => Encoding.UTF8.GetByteCount(e.Key) + Encoding.UTF8.GetByteCount(e.Value) + EntryBytes);
    }

    private KeyValuePair<string, string>[] Entries(CompressionReport report) =>
    [
        Provenance.Of(report, Options, TeacherSha256).ToMetadata(),
        .. Names is null ? [] : new[] { ClassNames.ToMetadata(Names) },
        .. Settings.Count == 0 ? [] : new[] { KeyValuePair.Create(ConfigurationKey, Settings.ToJsonString()) },
    ];
}
