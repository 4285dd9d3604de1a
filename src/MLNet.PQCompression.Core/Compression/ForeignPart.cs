using MLNet.PQCompression.Data;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Compression;

/// <summary>What compression needs to know of a graph's foreign nodes: what runs the stretches they stand in, what every value is, and which of their values the student takes over.</summary>
internal sealed class ForeignPart
{
    /// <summary>That of a graph without foreign nodes.</summary>
    public static readonly ForeignPart None = new(null, null, 0);

    /// <summary>Images that are looked at: what a value takes may differ between them, as lists of regions do, and the largest counts.</summary>
    private const int Examined = 8;

    private readonly IForeignRuntime? _runtime;
    private readonly IReadOnlyDictionary<string, ValueFacts>? _facts;
    private readonly int _threads;

    private ForeignPart(IForeignRuntime? runtime, IReadOnlyDictionary<string, ValueFacts>? facts, int threads) => (_runtime, _facts, _threads) = (runtime, facts, threads);

    /// <summary>Runs the graph on a few images where it has foreign nodes.</summary>
    /// <exception cref="UnsupportedOperatorException">It has, and the options bring nothing that runs them.</exception>
    public static ForeignPart Of(ModelGraph graph, ISampleSource images, CompressionOptions options, CancellationToken cancellationToken)
    {
        if (!graph.HasForeignNodes)
            return None;
        if (options.ForeignRuntime is null)
            graph.RequireKernels();
        int length = images.Channels * images.Height * images.Width;
        var facts = new Dictionary<string, ValueFacts>(StringComparer.Ordinal);
        foreach (SampleBatch batch in images.Read(graph.Origin?.FixedBatch ?? 1, cancellationToken).Take(Examined))
        {
            var input = new Activation(new(batch.Count, images.Channels, images.Height, images.Width), batch.Data[..(batch.Count * length)].ToArray());
            foreach ((string name, ValueFacts value) in options.ForeignRuntime!.Examine(graph, input))
                if (!facts.TryGetValue(name, out ValueFacts? largest) || value.Shape.Count > largest.Shape.Count)
                    facts[name] = value;
        }
        if (facts.Count == 0)
            throw new ArgumentException("There are no images to take statistics from.", nameof(images));
        return new(options.ForeignRuntime, facts, options.Threads) { FixedBatch = graph.Origin?.FixedBatch };
    }

    /// <summary>How many images foreign nodes take at once, or null for any number.</summary>
    public int? FixedBatch { get; private init; }

    /// <summary>The shapes of all values for one image, the largest that were met, or null where shape inference tells them.</summary>
    public IReadOnlyDictionary<string, TensorShape>? Shapes => _facts?.ToDictionary(f => f.Key, f => f.Value.Shape, StringComparer.Ordinal);

    /// <summary>Evaluates stretches of a graph: by kernels of this library where there are such for all nodes, and else as parts of the document.</summary>
    public INodeEvaluator Evaluate(ModelGraph graph, IEvaluationBackend backend) =>
        _runtime is null ? backend.Evaluate(graph) : new StretchEvaluator(backend.Evaluate(graph), _runtime.Evaluate(graph, _threads));

    /// <summary>
    /// Whether the student takes over from the teacher all that a node makes. Where real numbers become whole ones or Booleans, or choose among rows, a small difference would give other rows, and other
    /// numbers of rows, and the two networks' values would no longer belong together: the student is guided by the teacher's decision.
    /// </summary>
    public bool IsTeachers(Node node) => _facts is not null && node.Operator is Foreign foreign
        && (foreign.HasSubgraph || node.Outputs.Any(o => !IsReal(o)) || (foreign.Type is "Gather" or "GatherND" or "GatherElements" or "Compress" && node.Inputs.Any(i => !IsReal(i))));

    private bool IsReal(string value) => _facts!.GetValueOrDefault(value)?.IsReal ?? true;

    private sealed class StretchEvaluator(INodeEvaluator own, INodeEvaluator foreign) : INodeEvaluator
    {
        public IReadOnlyDictionary<string, Activation> Evaluate(IReadOnlyList<Node> nodes, Func<string, Activation> values, Func<string, bool> isWanted) =>
            (nodes.Any(n => n.Operator is Foreign) ? foreign : own).Evaluate(nodes, values, isWanted);

        public void Dispose()
        {
            own.Dispose();
            foreign.Dispose();
        }
    }
}
