using System.Globalization;
using System.Runtime.InteropServices;
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
        _key = CheckpointKey.Of("compress", teacher, images, setting, options);
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
}
