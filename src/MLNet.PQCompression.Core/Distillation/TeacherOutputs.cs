using MLNet.PQCompression.Distillation.Data;

namespace MLNet.PQCompression.Distillation;

/// <summary>The teacher's outputs of batches. Where images are drawn unchanged, those of all are worked out at first use and kept, if they are few: 4 bytes a value and image.</summary>
/// <remarks>All of them and in their own order, so that what a batch is given does not depend on the batches before it.</remarks>
internal sealed class TeacherOutputs(ITrainingModel teacher, TrainingSet set, int batchSize, bool areUnchanged, BatchShare share) : IDisposable
{
    private const int MostKept = 1 << 28;
    private readonly int _length = teacher.OutputLength;
    private readonly bool _areKept = areUnchanged && (long)teacher.OutputLength * set.Count <= MostKept;
    private float[]? _all;
    private float[] _values = [];

    /// <summary>The outputs of a batch, valid until the next is asked for.</summary>
    /// <exception cref="OperationCanceledException">Cancelled while the images were looked at.</exception>
    public ReadOnlyMemory<float> Of(DrawnBatch batch, CancellationToken cancellationToken)
    {
        if (_values.Length != batch.Count * _length)
            _values = new float[batch.Count * _length];
        if (!_areKept)
        {
            // By the parts of a shared batch: what is evaluated together does not depend on the number of ranks.
            foreach ((_, int first, int end) in share.Ranges(batch.Total))
                if (end > first)
                    teacher.Evaluate(batch.Images.AsMemory(first * set.ImageLength), end - first, _values.AsSpan(first * _length, (end - first) * _length));
            return _values;
        }
        _all ??= EvaluateAll(cancellationToken);
        for (int n = 0; n < batch.Count; n++)
            _all.AsSpan(batch.Indices[n] * _length, _length).CopyTo(_values.AsSpan(n * _length));
        return _values;
    }

    /// <inheritdoc/>
    public void Dispose() => teacher.Dispose();

    private float[] EvaluateAll(CancellationToken cancellationToken)
    {
        var all = new float[set.Count * _length];
        var images = new float[Math.Min(batchSize, set.Count) * set.ImageLength];
        int batches = (set.Count + batchSize - 1) / batchSize;
        for (int part = share.Parts.First; part < share.Parts.End; part++)
            for (int b = share.Parts.Range(part, batches).First; b < share.Parts.Range(part, batches).End; b++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                int first = b * batchSize, count = Math.Min(batchSize, set.Count - first);
                for (int n = 0; n < count; n++)
                    set.Image(first + n).CopyTo(images.AsSpan(n * set.ImageLength));
                teacher.Evaluate(images.AsMemory(0, count * set.ImageLength), count, all.AsSpan(first * _length, count * _length));
            }
        for (int part = 0; part < share.Parts.Count; part++)
        {
            (int first, int end) = share.Parts.Range(part, batches);
            Span<float> own = all.AsSpan(Math.Min(set.Count, first * batchSize) * _length, (Math.Min(set.Count, end * batchSize) - Math.Min(set.Count, first * batchSize)) * _length);
            share.Parts.Ranks.Broadcast(System.Runtime.InteropServices.MemoryMarshal.AsBytes(own), share.Parts.Owner(part));
        }
        return all;
    }
}
