using Microsoft.ML.OnnxRuntime;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.OnnxRuntime;

/// <summary>Scores images with ONNX Runtime on a graph's document with the graph's weights: what the file that <see cref="OnnxWriter"/> writes gives there.</summary>
public sealed class OnnxRuntimeSession : IScoringSession
{
    private readonly ModelGraph _graph;
    private readonly OnnxDocument _document;
    private readonly OrtSession _session;

    /// <summary>Loads a model.</summary>
    /// <param name="graph">The model; it must have been read from ONNX.</param>
    /// <param name="threads">Threads, or 0 for one for each processor.</param>
    /// <exception cref="InvalidModelException">The graph comes from no document, or ONNX Runtime refuses it.</exception>
    public OnnxRuntimeSession(ModelGraph graph, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var runnable = new RunnableDocument(graph);
        (_graph, _document) = (graph, runnable.Document);
        _session = OrtSessions.Load(graph, runnable.ToBytes(), threads);
        OutputNames = [.. _session.OutputNames];
        string[] foreign = [.. graph.ForeignNodes.Select(n => n.Operator.OnnxName).Distinct().Order(StringComparer.Ordinal)];
        string why = foreign.Length == 0 ? "as asked" : $"no kernels here for {string.Join(", ", foreign)}";
        Engine = $"ONNX Runtime {OrtEnv.Instance().GetVersionString()} ({why})";
    }

    /// <inheritdoc/>
    public string Engine { get; }

    /// <summary>The outputs in the model's order.</summary>
    public IReadOnlyList<string> OutputNames { get; }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Activation> Run(Activation images)
    {
        ArgumentNullException.ThrowIfNull(images);
        using OrtValue input = ImageFeed.ToOrt(images, _document.Input);
        using var run = new RunOptions();
        IDisposableReadOnlyCollection<OrtValue> results = OrtSessions.Guard(_graph, () => _session.Run(run, [_document.Input.Name], [input], OutputNames));
        var outputs = new Dictionary<string, Activation>(StringComparer.Ordinal);
        for (int i = 0; i < results.Count; i++)
            outputs[OutputNames[i]] = OrtTensors.FromOrt(results[i]);
        return outputs;
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();
}
