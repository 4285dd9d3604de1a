using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference;

/// <summary>Something that can run a <see cref="ModelGraph"/> forwards with every value in view: managed code here, a tensor library elsewhere.</summary>
public interface IEvaluationBackend : IDisposable
{
    /// <summary>What to call it in reports: "managed, 2 threads".</summary>
    string Name { get; }

    /// <summary>What decides the bits of its results: the name, without a number of threads that does not.</summary>
    string Kind => Name;

    /// <summary>An evaluator of a graph's nodes. What it keeps of the graph's weights is given back when it is disposed of.</summary>
    INodeEvaluator Evaluate(ModelGraph graph);
}

/// <summary>Computes stretches of a graph's nodes.</summary>
public interface INodeEvaluator : IDisposable
{
    /// <summary>Computes nodes of one batch, from named values to named values.</summary>
    /// <param name="nodes">Nodes of the graph, in its order.</param>
    /// <param name="values">Gives each value that is read and is neither an initializer nor made by the nodes.</param>
    /// <param name="isWanted">Which outputs to hand out; the others may never leave the device.</param>
    /// <returns>The wanted outputs by name. They share no memory with one another, but may with what <paramref name="values"/> gave.</returns>
    /// <exception cref="InvalidModelException">The inputs do not fit an operator, or the backend has no such operator.</exception>
    IReadOnlyDictionary<string, Activation> Evaluate(IReadOnlyList<Node> nodes, Func<string, Activation> values, Func<string, bool> isWanted);
}
