using System.Buffers;
using System.Numerics.Tensors;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Scoring;

/// <summary>Scores images with one session that all rows, cursors, engines and threads share.</summary>
/// <remarks>
/// A prediction engine disposes the transformer it was made from while other engines may still use it. So the session ends when it is disposed and the
/// last call into it has returned, and the next call opens another.
/// </remarks>
internal sealed class ModelScorer(ScoringModel model, InferenceOptions options) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly bool _reorder = !model.Order.SequenceEqual(Enumerable.Range(0, model.Order.Length));
    private SharedSession? _session;

    /// <summary>The model.</summary>
    public ScoringModel Model => model;

    /// <summary>The number of scores of an image.</summary>
    public int ScoreCount => model.ClassNames.Length;

    /// <summary>Scores preprocessed images.</summary>
    /// <param name="images"><paramref name="count"/>·C·H·W values.</param>
    /// <param name="count">The number of images.</param>
    /// <param name="scores"><paramref name="count"/>·<see cref="ScoreCount"/> values.</param>
    public void Score(ReadOnlySpan<float> images, int count, Span<float> scores)
    {
        scores = scores[..(count * ScoreCount)];
        SharedSession session = Acquire();
        try
        {
            session.Value.Run(images, count, scores);
        }
        finally
        {
            Release(session);
        }
        for (int i = 0; i < count; i++)
            Finish(scores.Slice(i * ScoreCount, ScoreCount));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_session is not { } session)
                return;
            _session = null;
            session.Closed = true;
            if (session.Users == 0)
                session.Dispose();
        }
    }

    private void Finish(Span<float> scores)
    {
        if (model.ApplySoftmax)
            TensorPrimitives.SoftMax(scores, scores);
        if (!_reorder)
            return;
        float[] outputs = ArrayPool<float>.Shared.Rent(scores.Length);
        scores.CopyTo(outputs);
        for (int i = 0; i < scores.Length; i++)
            scores[i] = outputs[model.Order[i]];
        ArrayPool<float>.Shared.Return(outputs);
    }

    private SharedSession Acquire()
    {
        lock (_gate)
        {
            // A row has to score the same bits in a batch, in an engine and in a loaded chain.
            _session ??= new(new(model.Graph, options with { BatchInvariant = true }));
            _session.Users++;
            return _session;
        }
    }

    private void Release(SharedSession session)
    {
        lock (_gate)
            if (--session.Users == 0 && session.Closed)
                session.Dispose();
    }

    /// <summary>A session with the number of calls that are inside it. Ends its threads even where nobody disposes of it, as happens to a loaded chain.</summary>
    private sealed class SharedSession(InferenceSession value) : IDisposable
    {
        ~SharedSession() => Value.Dispose();

        public InferenceSession Value { get; } = value;

        public int Users { get; set; }

        public bool Closed { get; set; }

        public void Dispose()
        {
            GC.SuppressFinalize(this);
            Value.Dispose();
        }
    }
}
