using MLNet.PQCompression.Distillation.Data;

namespace MLNet.PQCompression.Distillation;

/// <summary>The teacher's logits of batches. Where images are drawn unchanged, each image's are worked out once and kept.</summary>
internal sealed class TeacherOutputs(ITrainingModel teacher, int images, bool areUnchanged) : IDisposable
{
    private readonly float[]?[] _kept = new float[]?[areUnchanged ? images : 0];
    private float[] _logits = [];

    /// <summary>The logits of a batch, valid until the next is asked for.</summary>
    public ReadOnlyMemory<float> Of(DrawnBatch batch)
    {
        int classes = teacher.OutputLength;
        if (_logits.Length != batch.Count * classes)
            _logits = new float[batch.Count * classes];
        bool isKept = _kept.Length > 0 && batch.Indices.All(i => _kept[i] is not null);
        if (!isKept)
            teacher.Evaluate(batch.Images, batch.Count, _logits);
        for (int n = 0; n < batch.Count && _kept.Length > 0; n++)
            if (isKept)
                _kept[batch.Indices[n]]!.CopyTo(_logits, n * classes);
            else
                _kept[batch.Indices[n]] = _logits[(n * classes)..((n + 1) * classes)];
        return _logits;
    }

    /// <inheritdoc/>
    public void Dispose() => teacher.Dispose();
}
