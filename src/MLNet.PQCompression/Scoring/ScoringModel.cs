using System.Collections.Immutable;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Inference;
using ModelClasses = MLNet.PQCompression.Graph.ClassNames;

namespace MLNet.PQCompression.Scoring;

/// <summary>A network and what is made of its outputs.</summary>
/// <param name="Graph">The network, its input size known; its metadata carries the preprocessing and, of a classifier, the class names.</param>
/// <param name="Preprocessing">How an image becomes its input.</param>
/// <param name="Task">What it does.</param>
/// <param name="Outputs">The outputs that are taken, in the order of a row's values.</param>
/// <param name="ClassNames">A classifier's: the names of the scores, in their order, all different. Else empty.</param>
/// <param name="Order">A classifier's: the model's output that each score is taken from.</param>
/// <param name="ApplySoftmax">Whether the outputs become probabilities.</param>
internal sealed record ScoringModel(
    ModelGraph Graph, ImagePreprocessing Preprocessing, ImageTask Task, ScoredOutputs Outputs, ImmutableArray<string> ClassNames, ImmutableArray<int> Order, bool ApplySoftmax)
{
    /// <summary>Puts a network and the options together.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="options">The options.</param>
    /// <param name="labels">The data's label values, or null to keep the model's order.</param>
    /// <param name="source">What the network was read from, for messages.</param>
    /// <exception cref="InvalidModelException">The network does not do what is asked of it, or the class names do not fit it.</exception>
    public static ScoringModel Create(ModelGraph graph, ImageScoringOptions options, IReadOnlyList<string>? labels, string source)
    {
        ImagePreprocessing preprocessing = PreprocessingOf(graph, options.Preprocessing, source);
        graph = WithInputSize(graph, preprocessing, source);
        graph = graph.WithMetadata(graph.Metadata.SetItems([preprocessing.ToMetadata()]));
        if (options.Task != ImageTask.Classifier)
            return Restore(graph, options.Task, options.ModelOutputs, [], applySoftmax: false, options.Scoring, source);
        int count = ScoredOutputs.Find(graph, options.Task, options.ModelOutputs, options.Scoring, source).RowLength;
        ImmutableArray<string>? known = options.ClassNames is { } given ? [.. given] : ModelClasses.FromMetadata(graph.Metadata);
        if (known is { } list && list.Length != count)
            throw new InvalidModelException($"{source} has {count} classes, but {list.Length} class names are known. Give one name for each output, in the model's order.");
        ImmutableArray<string> names = ModelClasses.MakeUnique(known ?? ModelClasses.Numbers(count));
        graph = graph.WithMetadata(graph.Metadata.SetItems([ModelClasses.ToMetadata(names)]));
        ImmutableArray<int> order = labels is null ? [.. Enumerable.Range(0, count)] : OrderOf(names, known is not null, labels, options.LabelColumnName, source);
        return Restore(graph, options.Task, options.ModelOutputs, order, options.ApplySoftmax, options.Scoring, source);
    }

    /// <summary>The same from a network whose metadata carries the preprocessing and the class names.</summary>
    /// <exception cref="InvalidModelException">The metadata, the order or the outputs do not fit.</exception>
    public static ScoringModel Restore(
        ModelGraph graph, ImageTask task, IReadOnlyList<string>? outputs, ImmutableArray<int> order, bool applySoftmax, InferenceOptions inference, string source = "The saved model")
    {
        ScoredOutputs scored = ScoredOutputs.Find(graph, task, outputs, inference, source);
        ImagePreprocessing preprocessing = ImagePreprocessing.For(graph);
        if (task != ImageTask.Classifier)
            return new(graph, preprocessing, task, scored, [], [], ApplySoftmax: false);
        ImmutableArray<string> names = ModelClasses.FromMetadata(graph.Metadata) ?? throw new InvalidModelException($"{source} has no class names.");
        if (names.Length != scored.RowLength || !order.Order().SequenceEqual(Enumerable.Range(0, names.Length)))
            throw new InvalidModelException($"{source} has {scored.RowLength} scores, {names.Length} class names and an order of {order.Length}; these do not fit each other.");
        return new(graph, preprocessing, task, scored, [.. order.Select(i => names[i])], order, applySoftmax && !scored.AreProbabilities);
    }

    /// <summary>A form of the network in its place, with the same preprocessing and class names, exactly as an ONNX file gives it back: a file folds statistics and
    /// keeps codebooks in half precision, and a loaded pipeline has to give the same bits.</summary>
    public ScoringModel With(ModelGraph network, InferenceOptions inference)
    {
        network = network.WithMetadata(network.Metadata.SetItems(Graph.Metadata.Where(m => m.Key is ImagePreprocessing.MetadataKey or ModelClasses.MetadataKey)));
        using var file = new MemoryStream();
        OnnxWriter.Write(network, file);
        ModelGraph written = OnnxReader.Read(file.GetBuffer().AsMemory(0, (int)file.Length), network.Name);
        return this with { Graph = written, Outputs = ScoredOutputs.Find(written, Task, Outputs.Wanted, inference, network.Name) };
    }

    /// <summary>The output of each score, so that scores follow the label's keys. Labels that are numbers are class indices where they are no names.</summary>
    private static ImmutableArray<int> OrderOf(ImmutableArray<string> names, bool areKnown, IReadOnlyList<string> labels, string? column, string source)
    {
        ImmutableArray<string> numbers = ModelClasses.Numbers(names.Length);
        if (!labels.All(names.Contains) && labels.All(numbers.Contains))
            return ModelClasses.OrderBy(numbers, labels);
        if (!areKnown && !labels.All(names.Contains))
            throw new InvalidModelException($"The label column '{column}' has the classes {string.Join(", ", labels.Take(10))}{(labels.Count > 10 ? ", …" : "")}, but {source} names none: which of its {names.Length} outputs is which cannot be told, and evaluation "
                + "would compare labels with the scores of other classes. Set ClassNames to the classes in the order of the outputs, or LabelColumnName to null if the labels are no classes of this model.");
        return ModelClasses.OrderBy(names, labels);
    }

    /// <summary>The preprocessing that is given, or else stated, for a network.</summary>
    /// <exception cref="InvalidModelException">It does not fit the network.</exception>
    internal static ImagePreprocessing PreprocessingOf(ModelGraph graph, ImagePreprocessing? given, string source)
    {
        TensorShape shape = graph.Input.Shape;
        if (shape.Rank != 4)
            throw new InvalidModelException($"{source} takes an input of shape {shape}; a ConvNet takes images, N×C×H×W.");
        try
        {
            ImagePreprocessing preprocessing = given ?? StatedPreprocessing.For(graph, File.Exists(source) ? source : null).Preprocessing;
            preprocessing.Check();
            return preprocessing.Channels == shape[1]
                ? preprocessing
                : throw new InvalidModelException($"{source} takes images of {shape[1]} channels, but the preprocessing makes {preprocessing.Channels}.");
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw new InvalidModelException($"{source}: {e.Message}", e);
        }
    }

    /// <summary>The network with the size of its input known.</summary>
    /// <exception cref="InvalidModelException">It takes images of another size.</exception>
    internal static ModelGraph WithInputSize(ModelGraph graph, ImagePreprocessing preprocessing, string source)
    {
        TensorShape shape = graph.Input.Shape;
        if ((shape[2] > 0 && shape[2] != preprocessing.Height) || (shape[3] > 0 && shape[3] != preprocessing.Width))
            throw new InvalidModelException($"{source} takes images of {shape[2]}×{shape[3]}, but the preprocessing makes {preprocessing.Height}×{preprocessing.Width}.");
        if (shape[2] > 0 && shape[3] > 0)
            return graph;
        ValueInfo input = graph.Input with { Shape = new(shape[0], shape[1], preprocessing.Height, preprocessing.Width) };
        return new(graph.Name, input, graph.Outputs, graph.Nodes, graph.Initializers, graph.Metadata, graph.Origin);
    }
}
