using System.Collections.Concurrent;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Reporting;
using Names = MLNet.PQCompression.Graph.ClassNames;

namespace MLNet.PQCompression;

/// <summary>A trained network, dense or compressed: load it, make it smaller, score images, save it. What it does is also there in parts, in the namespaces below this one.</summary>
/// <remarks>
/// A model never changes; <see cref="Compress"/> gives another. It may be used by several threads at once. The package MLNet.PQCompression.Images adds members that
/// take files and folders of pictures instead of preprocessed pixels.
/// </remarks>
public sealed class PqModel : IDisposable
{
    private readonly ConcurrentDictionary<TensorShape, Lazy<InferenceSession>> _sessions = new();
    private readonly InferenceOptions _inference;
    private bool _disposed;

    /// <summary>Makes a model of a network.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="inference">How it scores, or null for the defaults.</param>
    public PqModel(ModelGraph graph, InferenceOptions? inference = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        Graph = graph;
        _inference = inference ?? new();
        ClassNames = Names.FromMetadata(graph.Metadata) ?? [];
    }

    /// <summary>The network, its weights and its metadata.</summary>
    public ModelGraph Graph { get; }

    /// <summary>The names of the classes by index; empty where the model has none.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>Where the network was read from; null where it was not read from a file.</summary>
    public string? File { get; private init; }

    /// <summary>What was done to each layer and what it saved, where <see cref="Compress"/> made this model; else null.</summary>
    public CompressionReport? Report { get; private init; }

    /// <summary>Reads ONNX (compressed models too), safetensors, a PyTorch state dict, or a checkpoint published with the paper.</summary>
    /// <param name="path">The file.</param>
    /// <param name="architecture">For weights without a graph, which network they belong to; null finds out from names and shapes.</param>
    /// <param name="inference">How it scores, or null for the defaults.</param>
    /// <exception cref="InvalidModelException">The file is malformed, of no known format, or does not fit the architecture.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static PqModel Load(string path, string? architecture = null, InferenceOptions? inference = null) =>
        new(ModelFile.Load(path, architecture), inference) { File = path };

    /// <summary>The same network with names for its classes, which are saved with it.</summary>
    /// <param name="names">A name for each class, by index.</param>
    public PqModel WithClassNames(IEnumerable<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        return WithMetadata([Names.ToMetadata(names)]);
    }

    /// <summary>The same network with other or more entries of metadata, which are saved with it.</summary>
    /// <param name="entries">Keys and values; others stay.</param>
    public PqModel WithMetadata(IEnumerable<KeyValuePair<string, string>> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        return new(Graph.WithMetadata(Graph.Metadata.SetItems(entries)), _inference) { File = File, Report = Report };
    }

    /// <summary>Compresses the network by product quantization. This model stays as it is, to be compared with.</summary>
    /// <param name="images">Unlabelled images, preprocessed as the network needs them; a few hundred are enough.</param>
    /// <param name="options">What to do; null for the defaults.</param>
    /// <param name="progress">Told of every layer.</param>
    /// <param name="cancellationToken">Stops at the next step.</param>
    /// <returns>The compressed network, with a <see cref="Report"/>, and with where it comes from in its metadata.</returns>
    /// <exception cref="ArgumentException">The images do not fit the model, there are none, or an option cannot be met.</exception>
    /// <exception cref="InvalidModelException">The model cannot be run on the images.</exception>
    /// <exception cref="OperationCanceledException">The work was cancelled.</exception>
    public PqModel Compress(
        ISampleSource images, CompressionOptions? options = null, IProgress<CompressionProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        options ??= new();
        CompressionResult result = ModelCompressor.Compress(Graph, images, options, progress, cancellationToken);
        return new PqModel(result.Student, _inference) { Report = result.Report }.WithMetadata([Provenance.Of(result.Report, options).ToMetadata()]);
    }

    /// <summary>Writes the network as plain ONNX, compressed weights as codes and codebooks; an existing file is replaced only when the new one is complete.</summary>
    /// <exception cref="InvalidModelException">A weight is not finite.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path) => OnnxWriter.Write(Graph, path);

    /// <summary>Scores one image.</summary>
    /// <param name="pixels">C·H·W values, preprocessed.</param>
    /// <param name="size">C×H×W, needed where the model leaves its size open.</param>
    /// <returns>What the network gives: for a classifier, logits or probabilities.</returns>
    /// <exception cref="ArgumentException">There are not as many values as the size says.</exception>
    /// <exception cref="InvalidModelException">The size is not known or does not fit the model, or a score is not finite.</exception>
    public float[] Scores(ReadOnlySpan<float> pixels, TensorShape? size = null)
    {
        InferenceSession session = Session(size);
        var scores = new float[session.OutputLength];
        session.Run(pixels, 1, scores);
        return scores;
    }

    /// <summary>The likeliest classes of one image, best first.</summary>
    /// <param name="pixels">C·H·W values, preprocessed.</param>
    /// <param name="top">How many classes are wanted; all of them where there are fewer.</param>
    /// <param name="size">C×H×W, needed where the model leaves its size open.</param>
    /// <exception cref="ArgumentException">There are not as many values as the size says.</exception>
    /// <exception cref="InvalidModelException">The size is not known or does not fit the model, a score is not finite, or there are more or fewer classes than names.</exception>
    public IReadOnlyList<ClassPrediction> Predict(ReadOnlySpan<float> pixels, int top = 5, TensorShape? size = null)
    {
        float[] scores = Scores(pixels, size);
        if (ClassNames.Count > 0 && ClassNames.Count != scores.Length)
            throw new InvalidModelException($"Model '{Graph.Name}' has names for {ClassNames.Count} classes, but gives {scores.Length} scores.");
        IReadOnlyList<string> names = ClassNames.Count > 0 ? ClassNames : Names.Numbers(scores.Length);
        return [.. ClassProbability.Best(scores, top, ClassProbability.AreOutputsOf(Graph)).Select(p => new ClassPrediction(p.Class, names[p.Class], p.Probability))];
    }

    /// <summary>Scores many images: accuracy where they have labels, agreement with a teacher where there is one.</summary>
    /// <param name="images">The images, preprocessed as the network needs them.</param>
    /// <param name="teacher">The model to compare with, or null.</param>
    /// <param name="cancellationToken">Ends the evaluation between batches.</param>
    /// <exception cref="InvalidModelException">The two models have different classes, or a score is not finite.</exception>
    /// <exception cref="InvalidDataException">A label lies outside the model's classes.</exception>
    /// <exception cref="OperationCanceledException">The evaluation was cancelled.</exception>
    public EvaluationReport Evaluate(ISampleSource images, PqModel? teacher = null, CancellationToken cancellationToken = default) =>
        ModelEvaluator.Evaluate(Graph, images, teacher?.Graph, new() { Threads = _inference.Threads }, null, cancellationToken);

    /// <summary>Ends the threads that score.</summary>
    public void Dispose()
    {
        _disposed = true;
        foreach (Lazy<InferenceSession> session in _sessions.Values)
            if (session.IsValueCreated)
                session.Value.Dispose();
    }

    private InferenceSession Session(TensorShape? size)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        TensorShape key = size ?? _inference.InputShape ?? default;
        return _sessions.GetOrAdd(key, k => new(() => new(Graph, k.Rank == 0 ? _inference : _inference with { InputShape = k }))).Value;
    }
}
