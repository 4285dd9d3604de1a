using MLNet.PQCompression.Data;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Compression;

/// <summary>What the nodes before the first layer make of images, where some of them are foreign: the images that training begins with. No layer comes before it, so teacher and student share it.</summary>
internal sealed class FrontSamples : ISampleSource
{
    private readonly ISampleSource _images;
    private readonly INodeEvaluator _evaluator;
    private readonly List<Node> _nodes;
    private readonly string _input, _value;

    /// <summary>Finds the nodes, and by one image what they make.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="value">What the first layer reads.</param>
    /// <param name="images">Its images.</param>
    /// <param name="evaluator">Runs its nodes, foreign ones too; it stays the caller's.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="InvalidModelException">What is made of an image is no image.</exception>
    public FrontSamples(ModelGraph graph, string value, ISampleSource images, INodeEvaluator evaluator, CancellationToken cancellationToken)
    {
        (_images, _evaluator, _input, _value) = (images, evaluator, graph.Input.Name, value);
        HashSet<string> needed = [value];
        _nodes = [];
        foreach (Node node in graph.Nodes.Reverse())
            if (node.Outputs.Any(needed.Contains))
            {
                needed.UnionWith(graph.ReadsOf(node));
                _nodes.Insert(0, node);
            }
        TensorShape shape = images.Read(1, cancellationToken).Select(b => Make(b.Data, cancellationToken).Shape).FirstOrDefault();
        if (shape.Rank != 4 || shape[0] != 1)
            throw new InvalidModelException($"Model '{graph.Name}': what its first layer reads, '{value}', is {(shape.Rank == 0 ? "not known, since there is no image" : $"{shape} for one image")}; training begins with an image, 1×C×H×W. Leave distillation out (--epochs 0).");
        (Channels, Height, Width) = (shape[1], shape[2], shape[3]);
    }

    /// <inheritdoc/>
    public int Channels { get; }

    /// <inheritdoc/>
    public int Height { get; }

    /// <inheritdoc/>
    public int Width { get; }

    /// <inheritdoc/>
    public int? Count => _images.Count;

    /// <inheritdoc/>
    public IEnumerable<SampleBatch> Read(int batchSize, CancellationToken cancellationToken = default)
    {
        int from = _images.Channels * _images.Height * _images.Width, to = Channels * Height * Width;
        foreach (SampleBatch batch in _images.Read(batchSize, cancellationToken))
        {
            var made = new float[batch.Count * to];
            for (int n = 0; n < batch.Count; n++)
            {
                Activation one = Make(batch.Data.Slice(n * from, from), cancellationToken);
                if (one.Shape.Count != to)
                    throw new InvalidModelException($"The first layer reads {one.Shape} of '{batch.Names[n]}' and 1×{Channels}×{Height}×{Width} of the image before; training takes images of one size.");
                one.Span.CopyTo(made.AsSpan(n * to));
            }
            yield return batch with { Data = made };
        }
    }

    private Activation Make(ReadOnlyMemory<float> image, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var input = new Activation(new(1, _images.Channels, _images.Height, _images.Width), image[..(_images.Channels * _images.Height * _images.Width)].ToArray());
        return _evaluator.Evaluate(_nodes, name => name == _input ? input : throw new InvalidOperationException($"'{name}' is not made before the first layer."), name => name == _value)[_value];
    }
}
