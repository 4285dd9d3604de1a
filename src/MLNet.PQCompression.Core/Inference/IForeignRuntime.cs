using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference;

/// <summary>Runs what this library has no kernel for: stretches of a graph with foreign nodes, and whole models. ONNX Runtime is one.</summary>
public interface IForeignRuntime
{
    /// <summary>What to call it: "ONNX Runtime 1.31".</summary>
    string Name { get; }

    /// <summary>An evaluator of stretches of a graph that was read from a document. It runs what the document has in their place, with the graph's weights.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="threads">Threads, or 0 for one for each processor.</param>
    /// <exception cref="InvalidModelException">The graph comes from no document, or the runtime refuses it.</exception>
    INodeEvaluator Evaluate(ModelGraph graph, int threads);

    /// <summary>Runs a graph once and tells of every value what it is.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="images">As many images as the graph takes at once, N×C×H×W.</param>
    /// <exception cref="InvalidModelException">The graph comes from no document, or the runtime refuses it.</exception>
    IReadOnlyDictionary<string, ValueFacts> Examine(ModelGraph graph, Activation images);

    /// <summary>A session that scores images with a whole model.</summary>
    /// <param name="graph">The model.</param>
    /// <param name="threads">Threads, or 0 for one for each processor.</param>
    /// <exception cref="InvalidModelException">The graph comes from no document, or the runtime refuses it.</exception>
    IScoringSession CreateSession(ModelGraph graph, int threads);
}

/// <summary>What a value of a running graph is.</summary>
/// <param name="IsReal">Whether it is a tensor of real numbers.</param>
/// <param name="Shape">Its shape, or a scalar's where it is no tensor.</param>
public sealed record ValueFacts(bool IsReal, TensorShape Shape);
