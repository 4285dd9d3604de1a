using MLNet.PQCompression.Distillation.Data;

namespace MLNet.PQCompression.Distillation;

/// <summary>The teacher's logits of batches. Where images are drawn unchanged, those of all are worked out at first use and kept: 4·classes bytes an image.</summary>
/// <remarks>All of them and in their own order, so that what a batch is given does not depend on the batches before it.</remarks>
internal sealed class TeacherOutputs(ITrainingModel teacher, TrainingSet set, int batchSize, bool areUnchanged) : IDisposable
{
    private readonly int _classes = teacher.OutputLength;
    private float[]? _all;
    private float[] _logits = [];

    /// <summary>The logits of a batch, valid until the next is asked for.</summary>
    /// <exception cref="OperationCanceledException">Cancelled while the images were looked at.</exception>
    public ReadOnlyMemory<float> Of(DrawnBatch batch, CancellationToken cancellationToken)
    {
        if (_logits.Length != batch.Count * _classes)
            _logits = new float[batch.Count * _classes];
        if (!areUnchanged)
        {
            teacher.Evaluate(batch.Images, batch.Count, _logits);
            return _logits;
        }
        _all ??= EvaluateAll(cancellationToken);
        for (int n = 0; n < batch.Count; n++)
            _all.AsSpan(batch.Indices[n] * _classes, _classes).CopyTo(_logits.AsSpan(n * _classes));
        return _logits;
    }

    /// <inheritdoc/>
    public void Dispose() => teacher.Dispose();

    private float[] EvaluateAll(CancellationToken cancellationToken)
    {
        var all = new float[set.Count * _classes];
        var images = new float[Math.Min(batchSize, set.Count) * set.ImageLength];
        for (int first = 0; first < set.Count; first += batchSize)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int count = Math.Min(batchSize, set.Count - first);
            for (int n = 0; n < count; n++)
                set.Image(first + n).CopyTo(images.AsSpan(n * set.ImageLength));
            teacher.Evaluate(images.AsMemory(0, count * set.ImageLength), count, all.AsSpan(first * _classes, count * _classes));
        }
        return all;
    }
}
