using Microsoft.ML.OnnxRuntime;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.OnnxRuntime;

/// <summary>Runs stretches of a graph as parts cut from its document. The part that ran last is kept, since batch after batch runs the same one.</summary>
internal sealed class PartEvaluator(ModelGraph graph, ValueTypes types, int threads) : INodeEvaluator
{
    private RunnableDocument? _document;
    private string? _key;
    private OrtSession? _session;
    private string[] _wanted = [];
    private IReadOnlyList<(string Value, string Source)> _inputs = [];

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Activation> Evaluate(IReadOnlyList<Node> nodes, Func<string, Activation> values, Func<string, bool> isWanted)
    {
        string[] wanted = [.. nodes.SelectMany(n => n.Outputs).Where(isWanted)];
        if (wanted.Length == 0)
            return new Dictionary<string, Activation>();
        OrtSession session = Session(nodes, wanted, values);
        var feeds = new OrtValue[_inputs.Count];
        // A feed made of numbers pins them for as long as it is not disposed of.
        var made = new List<OrtValue>();
        try
        {
            for (int i = 0; i < feeds.Length; i++)
            {
                Activation value = values(_inputs[i].Source);
                feeds[i] = Feed(_inputs[i].Value, _inputs[i].Source, value);
                if (value is not OrtForeignValue)
                    made.Add(feeds[i]);
            }
            using var run = new RunOptions();
            // The results live on in the values that are handed out, so their collection is not disposed of.
            IDisposableReadOnlyCollection<OrtValue> results = OrtSessions.Guard(graph, () => session.Run(run, [.. _inputs.Select(i => i.Value)], feeds, wanted));
            var outputs = new Dictionary<string, Activation>(StringComparer.Ordinal);
            for (int i = 0; i < wanted.Length; i++)
                outputs[wanted[i]] = OrtTensors.FromOrt(results[i]);
            return outputs;
        }
        finally
        {
            foreach (OrtValue feed in made)
                feed.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _session?.Dispose();

    private OrtSession Session(IReadOnlyList<Node> nodes, string[] wanted, Func<string, Activation> values)
    {
        string key = string.Join('\n', nodes.Select(n => n.Output).Append("").Concat(wanted));
        if (_session is not null && key == _key)
            return _session;
        _session?.Dispose();
        _document ??= new(graph);
        (_session, _key, _wanted) = (Load(nodes, wanted, values), key, wanted);
        return _session;
    }

    /// <summary>Loads a part. ONNX Runtime's inference of shapes refuses some loops whose inputs have no rank, and some resizes by computed sizes whose inputs have one: the other is tried then.</summary>
    private OrtSession Load(IReadOnlyList<Node> nodes, string[] wanted, Func<string, Activation> values)
    {
        byte[] Cut(Func<string, int>? rank) => _document!.Cut(nodes, wanted, value => (int)types.Of(value), rank, out _inputs);
        try
        {
            return OrtSessions.Load(graph, Cut(null), threads, keepsMemory: false);
        }
        catch (InvalidModelException)
        {
            return OrtSessions.Load(graph, Cut(source => values(source).Shape.Rank), threads, keepsMemory: false);
        }
    }

    private OrtValue Feed(string value, string source, Activation activation) =>
        value == _document!.Document.Input.Name && source == graph.Input.Name ? ImageFeed.ToOrt(activation, _document.Document.Input) : OrtTensors.ToOrt(activation, types.Of(value));
}
