using System.Buffers;
using System.Numerics.Tensors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Scoring;

/// <summary>Scores images with one session that all rows, cursors, engines and threads share.</summary>
internal sealed class ModelScorer(ScoringModel model, InferenceOptions options) : IDisposable
{
    // A row has to score the same bits in a batch, in an engine and in a loaded chain.
    private readonly Shared<IScoringSession> _session = new(() => ScoringSessions.Create(model.Outputs.Graph, options with { BatchInvariant = true, Outputs = model.Outputs.Names }));
    private readonly bool _reorder = !model.Order.SequenceEqual(Enumerable.Range(0, model.Order.Length));
    private readonly TensorShape _image = new(model.Graph.Input.Shape.Dimensions.AsSpan()[1..]);

    /// <summary>The model.</summary>
    public ScoringModel Model => model;

    /// <summary>What scores, and why.</summary>
    public string Engine
    {
        get
        {
            using Shared<IScoringSession>.Use session = _session.Open();
            return session.Value.Engine;
        }
    }

    /// <summary>The number of values of an image: scores, features, or all of several outputs.</summary>
    public int RowLength => model.Outputs.RowLength;

    /// <summary>Scores preprocessed images.</summary>
    /// <param name="images"><paramref name="count"/>·C·H·W values.</param>
    /// <param name="count">The number of images.</param>
    /// <param name="scores"><paramref name="count"/>·<see cref="RowLength"/> values.</param>
    public void Score(ReadOnlySpan<float> images, int count, Span<float> scores)
    {
        scores = scores[..(count * RowLength)];
        using (Shared<IScoringSession>.Use session = _session.Open())
            if (session.Value is InferenceSession own && model.Outputs.Names.Length == 1)
                own.Run(images, count, scores);
            else
                for (int i = 0; i < count; i++) // One by one: nobody says that another runtime gives the same bits in a batch.
                    Score(session.Value, images.Slice(i * (int)_image.Count, (int)_image.Count), scores.Slice(i * RowLength, RowLength));
        if (model.Task == ImageTask.Classifier)
            for (int i = 0; i < count; i++)
                Finish(scores.Slice(i * RowLength, RowLength));
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();

    private void Score(IScoringSession session, ReadOnlySpan<float> image, Span<float> row)
    {
        IReadOnlyDictionary<string, Activation> outputs = session.Run(new Activation(new([1, .. _image.Dimensions]), image.ToArray()));
        foreach ((string name, int length) in model.Outputs.Names.Zip(model.Outputs.Lengths))
        {
            if (outputs[name] is not { } value || value is ForeignValue || value.Span.Length != length)
                throw new InvalidModelException($"Model '{model.Graph.Name}': the output '{name}' has other values for this image than for a plain one, {outputs[name].Shape}; a column needs {length} for each.");
            value.Span.CopyTo(row);
            row = row[length..];
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
}
