using System.Collections.Immutable;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using ModelClasses = MLNet.PQCompression.Graph.ClassNames;

namespace MLNet.PQCompression.Scoring;

/// <summary>A detector and what is made of its outputs.</summary>
/// <param name="Graph">The network, its input size known; its metadata carries the preprocessing and the class names.</param>
/// <param name="Preprocessing">How an image becomes its input.</param>
/// <param name="Profile">What its outputs mean.</param>
/// <param name="Options">Which detections are kept.</param>
/// <param name="Labels">The labels that have keys, in the order of the keys.</param>
/// <param name="Names">Their names, all different.</param>
internal sealed record DetectionModel(
    ModelGraph Graph, ImagePreprocessing Preprocessing, DetectionProfile Profile, DetectionOptions Options, ImmutableArray<int> Labels, ImmutableArray<string> Names)
{
    /// <summary>Puts a network and the options together.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="options">The options.</param>
    /// <param name="source">What the network was read from, for messages.</param>
    /// <exception cref="InvalidModelException">The network is no such detector, gives no masks where they are wanted, or its classes have no names and cannot be counted.</exception>
    public static DetectionModel Create(ModelGraph graph, PqDetectionEstimator.Options options, string source)
    {
        ImagePreprocessing preprocessing = ScoringModel.PreprocessingOf(graph, options.Preprocessing, source);
        graph = ScoringModel.WithInputSize(graph, preprocessing, source);
        DetectionProfile profile = options.Profile ?? DetectionProfile.Find(graph) ?? throw new InvalidModelException(
            $"{source} gives {string.Join(", ", graph.Outputs.Select(o => $"{o.Name} [{o.Shape}]"))}; it cannot be told that these are the outputs of a detector. Set Profile to one of DetectionProfile.All ({string.Join(", ", DetectionProfile.All.Select(p => p.Name))}).");
        profile.Require(graph, preprocessing.Height, preprocessing.Width);
        if (options.MasksColumnName is not null && !profile.HasMasks(graph.Outputs))
            throw new InvalidModelException($"{source} gives no masks; leave MasksColumnName null.");
        IReadOnlyList<string> names = options.ClassNames ?? ModelClasses.FromMetadata(graph.Metadata) ?? Unnamed(profile, graph, source);
        return Restore(graph.WithMetadata(graph.Metadata.SetItems([preprocessing.ToMetadata(), ModelClasses.ToMetadata(names)])), profile, options.Detections);
    }

    /// <summary>The same from a network whose metadata carries the preprocessing and the class names.</summary>
    /// <exception cref="InvalidModelException">The metadata do not fit.</exception>
    public static DetectionModel Restore(ModelGraph graph, DetectionProfile profile, DetectionOptions options)
    {
        ImmutableArray<string> names = ModelClasses.FromMetadata(graph.Metadata) ?? throw new InvalidModelException("The saved detector has no class names.");
        KeyValuePair<int, string>[] labels = [.. DetectionLabels.Of(profile, names, profile.Classes(graph.Outputs)).Names.OrderBy(n => n.Key)];
        return new(graph, ImagePreprocessing.For(graph), profile, options, [.. labels.Select(l => l.Key)], ModelClasses.MakeUnique([.. labels.Select(l => l.Value)]));
    }

    /// <summary>A form of the network in its place, exactly as an ONNX file gives it back.</summary>
    public DetectionModel With(ModelGraph network)
    {
        network = network.WithMetadata(network.Metadata.SetItems(Graph.Metadata.Where(m => m.Key is ImagePreprocessing.MetadataKey or ModelClasses.MetadataKey)));
        using var file = new MemoryStream();
        OnnxWriter.Write(network, file);
        return this with { Graph = OnnxReader.Read(file.GetBuffer().AsMemory(0, (int)file.Length), network.Name) };
    }

    /// <summary>The key of a label, from 1; 0, a missing key, where it has no name.</summary>
    public uint KeyOf(int label) => (uint)(Labels.IndexOf(label) + 1);

    private static IReadOnlyList<string> Unnamed(DetectionProfile profile, ModelGraph graph, string source)
    {
        int? classes = profile.Classes(graph.Outputs);
        if (profile.UsualNames.Count > 0 && profile.UsualNames.Count == classes)
            return profile.UsualNames;
        return classes is { } count ? ModelClasses.Numbers(count) : throw new InvalidModelException(
            $"{source} names no classes, and its outputs do not tell how many it has. Set ClassNames to them, in the order of the labels from 1 on.");
    }
}
