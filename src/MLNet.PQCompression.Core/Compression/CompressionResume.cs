using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MLNet.PQCompression.Collectives;
using MLNet.PQCompression.Distillation.Checkpoints;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Compression;

/// <summary>Keeps the state of a compression after each layer, so that an interrupted one goes on from there.</summary>
internal sealed class CompressionResume
{
    private const string ReportPrefix = "report:";
    private readonly ModelGraph _teacher;
    private readonly CheckpointFolder _folder;
    private readonly WorkParts _parts;
    private readonly string _key;

    /// <summary>Finds the state that belongs to exactly this work.</summary>
    /// <param name="folder">Where states are kept.</param>
    /// <param name="teacher">The model.</param>
    /// <param name="images">The images that statistics are taken from.</param>
    /// <param name="setting">What distillation learns from, and what the work runs on.</param>
    /// <param name="options">What to do.</param>
    public CompressionResume(CheckpointFolder folder, ModelGraph teacher, CalibrationImages images, string setting, CompressionOptions options)
    {
        (_folder, _teacher, _parts) = (folder, teacher, images.Parts);
        // Ranks, and threads of ranks, do not change what they make together.
        int threads = _parts.IsShared ? 0 : options.Threads == 0 ? Environment.ProcessorCount : options.Threads;
        CompressionOptions described = options with { Overrides = [], CheckpointFolder = null, Backend = null, Collective = null, ForeignRuntime = null, Threads = threads };
        _key = Distillation.Checkpoints.CheckpointFolder.Key(
            $"compress in {_parts.Count} parts", ContentHash.Of(teacher), Hash(images), setting,
            described.ToString(), string.Join('\n', options.Overrides));
    }

    /// <summary>The student and reports of the layers that are done, or null where there is nothing to go on from.</summary>
    public (IReadOnlyList<KeyValuePair<string, Initializer>> Weights, IReadOnlyDictionary<int, (double Error, double Seconds, double[] Objective)> Reports)? Load()
    {
        if (CheckpointContent.FromFirst(_parts, () => _folder.Load(_key)) is not { } saved)
            return null;
        var reports = saved.Values.Where(v => v.Key.StartsWith(ReportPrefix, StringComparison.Ordinal)).ToDictionary(
            v => int.Parse(v.Key.AsSpan(ReportPrefix.Length), CultureInfo.InvariantCulture),
            v => MemoryMarshal.Cast<float, double>(v.Value.AsSpan()).ToArray() is var d ? (d[0], d[1], d[2..]) : default);
        Dictionary<string, float[]> values = saved.Values.Where(v => !v.Key.StartsWith(ReportPrefix, StringComparison.Ordinal)).ToDictionary(v => v.Key, v => v.Value);
        ModelGraph student = StudentState.Restore(_teacher, saved with { Values = values });
        return ([.. student.Initializers.Where(i => !ReferenceEquals(i.Value, _teacher.Initializers[i.Key]))], reports);
    }

    /// <summary>Keeps the state, which is the same on all ranks; rank 0 does.</summary>
    /// <param name="student">The student as it stands.</param>
    /// <param name="reports">One for each layer that has been passed.</param>
    public void Save(ModelGraph student, IReadOnlyList<LayerReport> reports)
    {
        if (!_parts.IsFirst)
            return;
        Checkpoint state = StudentState.Capture(_teacher, student, "layers", reports.Count);
        var values = new Dictionary<string, float[]>(state.Values, StringComparer.Ordinal);
        for (int i = 0; i < reports.Count; i++)
            if (reports[i] is { RelativeError: { } error } report)
            {
                double[] figures = [error, report.Seconds, .. report.Objective];
                values[string.Create(CultureInfo.InvariantCulture, $"{ReportPrefix}{i}")] = MemoryMarshal.Cast<double, float>(figures.AsSpan()).ToArray();
            }
        _folder.Save(_key, state with { Values = values });
    }

    /// <summary>Forgets the state once the work is done.</summary>
    public void Delete()
    {
        if (_parts.IsFirst)
            _folder.Delete(_key);
    }

    /// <summary>The hash of each part's images, and of these hashes.</summary>
    private static string Hash(CalibrationImages images)
    {
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int part = 0; part < images.Parts.Count; part++)
        {
            using var own = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (int b = 0; b < images.Batches.Length; b++)
                if (images.Places[b].Part == part)
                    own.AppendData(MemoryMarshal.AsBytes(images.Batches[b].Load().Span));
            byte[] hash = own.GetHashAndReset();
            images.Parts.Ranks.Broadcast(hash, images.Parts.Owner(part));
            all.AppendData(hash);
        }
        return Convert.ToHexStringLower(all.GetHashAndReset());
    }
}
