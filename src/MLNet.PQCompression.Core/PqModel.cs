using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Reporting;
using Activation = MLNet.PQCompression.Inference.Activation;
using Names = MLNet.PQCompression.Graph.ClassNames;

namespace MLNet.PQCompression;

/// <summary>A trained network, dense or compressed: load it, make it smaller, score images, save it. What it does is also there in parts, in the namespaces below this one.</summary>
/// <remarks>
/// A model never changes; <see cref="Compress"/> gives another. It may be used by several threads at once. The package MLNet.PQCompression.Images adds members that
/// take files and folders of pictures instead of preprocessed pixels.
/// </remarks>
public sealed class PqModel : IDisposable
{
    private readonly InferenceOptions _inference;
    private readonly Lazy<ModelGraph?> _classifier;
    private readonly Lazy<IScoringSession> _scores, _outputs;
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
        _classifier = new(() => ClassifierPart.Find(graph));
        _outputs = new(() => ScoringSessions.Create(graph, _inference));
        _scores = new(() => _classifier.Value is { } part && part != graph ? ScoringSessions.Create(part, _inference) : _outputs.Value);
    }

    /// <summary>The network, its weights and its metadata.</summary>
    public ModelGraph Graph { get; }

    /// <summary>The names of the classes by index; empty where the model has none.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>What runs the network and why: kernels here, or ONNX Runtime where some of its operators have none. The first look loads the network there.</summary>
    /// <exception cref="UnsupportedOperatorException">Some operators have no kernel here, and the application has no runtime for them; the message names the operators and the package.</exception>
    public string Engine => _outputs.Value.Engine;

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
        if (Graph.HasForeignNodes)
            options = options with { ForeignRuntime = options.ForeignRuntime ?? _inference.ForeignRuntime ?? ForeignRuntimes.Default };
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
    /// <returns>The scores of a classifier, logits or probabilities, whatever else it gives; of any other network its only output.</returns>
    /// <exception cref="ArgumentException">There are not as many values as the size says.</exception>
    /// <exception cref="InvalidModelException">The size is not known or does not fit the model, a score is not finite, or there are several outputs and none that can be told to be the scores.</exception>
    public float[] Scores(ReadOnlySpan<float> pixels, TensorShape? size = null)
    {
        IReadOnlyDictionary<string, Activation> outputs = Run(_scores, pixels, size);
        return outputs.Count == 1 ? outputs.Values.Single().Span.ToArray()
            : throw new InvalidModelException($"Model '{Graph.Name}' has {outputs.Count} outputs ({string.Join(", ", outputs.Keys)}), none of which can be told to be the scores; {nameof(Outputs)} gives all.");
    }

    /// <summary>What the network gives for one image, output by output.</summary>
    /// <param name="pixels">C·H·W values, preprocessed.</param>
    /// <param name="size">C×H×W, needed where the model leaves its size open.</param>
    /// <returns>The outputs by name. One that is no tensor of real numbers is a <see cref="ForeignValue"/>.</returns>
    /// <exception cref="ArgumentException">There are not as many values as the size says.</exception>
    /// <exception cref="InvalidModelException">The size is not known or does not fit the model, or a value is not finite.</exception>
    public IReadOnlyDictionary<string, Activation> Outputs(ReadOnlySpan<float> pixels, TensorShape? size = null) => Run(_outputs, pixels, size);

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
        return [.. ClassProbability.Best(scores, top, ClassProbability.AreOutputsOf(_classifier.Value ?? Graph)).Select(p => new ClassPrediction(p.Class, names[p.Class], p.Probability))];
    }

    /// <summary>Scores many images: accuracy where they have labels, agreement with a teacher where there is one. Of a network that is no classifier every output is compared with the teacher's.</summary>
    /// <param name="images">The images, preprocessed as the network needs them.</param>
    /// <param name="teacher">The model to compare with, or null.</param>
    /// <param name="cancellationToken">Ends the evaluation between batches.</param>
    /// <exception cref="InvalidModelException">The two models have different classes, a score is not finite, or the network is no classifier and there is no teacher.</exception>
    /// <exception cref="InvalidDataException">A label lies outside the model's classes.</exception>
    /// <exception cref="OperationCanceledException">The evaluation was cancelled.</exception>
    public EvaluationReport Evaluate(ISampleSource images, PqModel? teacher = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (teacher is not null && (_classifier.Value is null || teacher._classifier.Value is null))
            return OutputAgreement.Evaluate(teacher.Graph, Graph, images, _inference, cancellationToken: cancellationToken);
        if (_classifier.Value is null && (Graph.HasForeignNodes || Graph.Outputs.Length > 1))
            throw new InvalidModelException($"Model '{Graph.Name}' is no classifier whose scores can be told; give a teacher, and every output is compared with the teacher's.");
        return ModelEvaluator.Evaluate(_classifier.Value ?? Graph, images, teacher?._classifier.Value, new() { Threads = _inference.Threads }, null, cancellationToken);
    }

    /// <summary>Ends the threads that score.</summary>
    public void Dispose()
    {
        _disposed = true;
        foreach (IScoringSession session in new[] { _scores, _outputs }.Where(s => s.IsValueCreated).Select(s => s.Value).Distinct())
            session.Dispose();
    }

    private IReadOnlyDictionary<string, Activation> Run(Lazy<IScoringSession> session, ReadOnlySpan<float> pixels, TensorShape? size)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        TensorShape shape = size ?? _inference.InputShape ?? Graph.Input.Shape.WithoutFirst();
        if (!shape.IsKnown)
            throw new InvalidModelException($"Model '{Graph.Name}' takes images of {shape}; give their size C×H×W.");
        if (pixels.Length != shape.Count)
            throw new ArgumentException($"An image of {shape} takes {shape.Count} values, not {pixels.Length}.", nameof(pixels));
        return session.Value.Run(new Activation(new([1, .. shape.Dimensions]), pixels.ToArray()));
    }
}
