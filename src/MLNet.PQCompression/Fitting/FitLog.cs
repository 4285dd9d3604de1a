using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLNet.PQCompression.Compression;

namespace MLNet.PQCompression.Fitting;

/// <summary>Writes the stages and layers of a compression to the log of the MLContext, and passes every report on.</summary>
internal sealed class FitLog : IProgress<CompressionProgress>, IDisposable
{
    private readonly Lock _gate = new();
    private readonly IChannel? _channel;
    private readonly IProgress<CompressionProgress>? _next;
    private readonly long _start = Stopwatch.GetTimestamp();
    private CompressionProgress? _last;

    public FitLog(IChannelProvider? channels, IProgress<CompressionProgress>? next)
    {
        _channel = channels?.Start("CompressModel");
        _next = next;
    }

    /// <inheritdoc/>
    public void Report(CompressionProgress value)
    {
        lock (_gate)
        {
            // Of a layer the beginning and the end are told, not each step on the way.
            if (value.Layer != _last?.Layer || (value.Detail is null) != (_last?.Detail is null) || (value.Layer is null && value.Stage != _last?.Stage))
                Info(string.Join(' ', new[] { value.Stage, value.Layer, value.Detail is null ? null : $"({value.Detail})", Times(value) }.OfType<string>()));
            _last = value;
        }
        _next?.Report(value);
    }

    /// <summary>The time so far and, from a tenth of the work on, about what is left.</summary>
    private string Times(CompressionProgress value)
    {
        TimeSpan elapsed = Stopwatch.GetElapsedTime(_start);
        string left = value is { Fraction: >= 0.1 and < 1, Remaining: { } remaining } ? FormattableString.Invariant($", about {remaining:h\\:mm\\:ss} left") : "";
        return FormattableString.Invariant($"{value.Fraction:0%} after {elapsed:h\\:mm\\:ss}{left}");
    }

    /// <summary>Writes a message.</summary>
    public void Info(string message) => _channel?.Info(MessageSensitivity.Schema, message);

    /// <summary>Writes a warning.</summary>
    public void Warn(string message) => _channel?.Warning(MessageSensitivity.UserData, message);

    /// <summary>Warns of a label column that is no key: keys made behind the scores may come in another order than these.</summary>
    public void WarnOfLabel(DataViewSchema schema, string? name)
    {
        if (name is not null && schema.GetColumnOrNull(name) is { Type: not KeyDataViewType })
            Warn($"The label column '{name}' is no key, so the scores are left in the model's order. For evaluation put MapValueToKey(\"{name}\") in front of this estimator.");
    }

    /// <inheritdoc/>
    public void Dispose() => _channel?.Dispose();
}
