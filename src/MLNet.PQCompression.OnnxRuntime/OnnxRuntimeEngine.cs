using System.Runtime.CompilerServices;
using Microsoft.ML.OnnxRuntime;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.OnnxRuntime;

/// <summary>ONNX Runtime as what runs foreign nodes, and models that have some.</summary>
public sealed class OnnxRuntimeEngine : IForeignRuntime
{
    private readonly ConditionalWeakTable<OnnxDocument, ValueTypes> _types = [];

    /// <inheritdoc/>
    public string Name => $"ONNX Runtime {OrtEnv.Instance().GetVersionString()}";

    /// <inheritdoc/>
    public INodeEvaluator Evaluate(ModelGraph graph, int threads) => new PartEvaluator(graph, TypesOf(graph), threads);

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, ValueFacts> Examine(ModelGraph graph, Activation images)
    {
        ArgumentNullException.ThrowIfNull(images);
        return TypesOf(graph).Measure(images);
    }

    /// <inheritdoc/>
    public IScoringSession CreateSession(ModelGraph graph, int threads)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return new OnnxRuntimeSession(graph, threads);
    }

    private ValueTypes TypesOf(ModelGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return graph.Origin is OnnxDocument document && _types.TryGetValue(document, out ValueTypes? known) ? known : Examined(graph);
    }

    private ValueTypes Examined(ModelGraph graph)
    {
        var types = new ValueTypes(new RunnableDocument(graph));
        _types.AddOrUpdate((OnnxDocument)graph.Origin!, types);
        return types;
    }
}
