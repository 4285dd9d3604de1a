using System.Diagnostics;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Reporting;

namespace ScoringWeb;

/// <summary>One network and its session.</summary>
public sealed class ScoredModel : IDisposable
{
    private readonly InferenceSession _session;
    private readonly ImagePreprocessing _preprocessing;
    private readonly IReadOnlyList<string>? _classes;
    private readonly bool _areProbabilities;

    /// <summary>Loads a model file.</summary>
    public ScoredModel(string file)
    {
        ModelGraph graph = ModelFile.Load(file);
        _preprocessing = ImagePreprocessing.For(graph);
        _classes = ClassNames.FromMetadata(graph.Metadata);
        _areProbabilities = ClassProbability.AreOutputsOf(graph);
        // One thread a picture: the service scores several at once.
        _session = new(graph, new InferenceOptions { Threads = 1 });
        FileBytes = new FileInfo(file).Length;
    }

    /// <summary>Bytes on disk.</summary>
    public long FileBytes { get; }

    /// <summary>Bytes of weights in memory.</summary>
    public long WeightBytes => _session.WeightBytes;

    /// <summary>The height and width that pictures are brought to.</summary>
    public (int Height, int Width) InputSize => (_preprocessing.Height, _preprocessing.Width);

    /// <summary>The likeliest classes of a picture.</summary>
    public Opinion Score(RgbImage image, int top)
    {
        var pixels = new float[_preprocessing.Length];
        var scores = new float[_session.OutputLength];
        _preprocessing.Apply(image, pixels);
        long start = Stopwatch.GetTimestamp();
        _session.Run(pixels, 1, scores);
        double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        return new([.. ClassProbability.Best(scores, top, _areProbabilities).Select(c => new NamedProbability(_classes?[c.Class] ?? $"class {c.Class}", c.Probability))], milliseconds);
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();
}

/// <summary>A class by its name.</summary>
/// <param name="Name">The class.</param>
/// <param name="Probability">0 to 1.</param>
public sealed record NamedProbability(string Name, double Probability);

/// <summary>What a network says of a picture.</summary>
/// <param name="Classes">The likeliest classes, best first.</param>
/// <param name="Milliseconds">The time of the network alone, without decoding.</param>
public sealed record Opinion(IReadOnlyList<NamedProbability> Classes, double Milliseconds);
