using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Detectors;

/// <summary>Finds objects with a network, whatever runs it. May be used by several threads at once.</summary>
public sealed class Detector : IDisposable
{
    private readonly IScoringSession _session;
    private readonly DetectionOptions _options;

    /// <summary>Opens a session.</summary>
    /// <param name="model">The network.</param>
    /// <param name="size">C×H×W, the size of its input.</param>
    /// <param name="profile">What its outputs mean; null finds out.</param>
    /// <param name="options">Which detections are kept; null for the defaults.</param>
    /// <param name="inference">How to run; null for the defaults.</param>
    /// <exception cref="InvalidModelException">No profile fits, or not the one that was given; or the network cannot be run.</exception>
    public Detector(ModelGraph model, TensorShape size, DetectionProfile? profile = null, DetectionOptions? options = null, InferenceOptions? inference = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        _options = options ?? new();
        Profile = profile ?? DetectionProfile.Find(model, size[1], size[2]) ?? throw new InvalidModelException(
            $"Model '{model.Name}' gives {string.Join(", ", model.Outputs.Select(o => $"{o.Name} [{o.Shape}]"))}, which no profile of a detector takes: {string.Join("; ", DetectionProfile.All.Select(p => $"{p.Name}: {p.Expects}"))}.");
        Profile.Require(model, size[1], size[2]);
        Size = size;
        Classes = Profile.Classes(model.Outputs);
        _session = ScoringSessions.Create(model, (inference ?? new()) with { InputShape = size });
    }

    /// <summary>What the outputs mean.</summary>
    public DetectionProfile Profile { get; }

    /// <summary>How many classes it has; null where its outputs do not tell.</summary>
    public int? Classes { get; }

    /// <summary>C×H×W, the size of the input.</summary>
    public TensorShape Size { get; }

    /// <summary>What runs the network, and why it does.</summary>
    public string Engine => _session.Engine;

    /// <summary>Finds the objects in a picture.</summary>
    /// <param name="image">C·H·W values, preprocessed.</param>
    /// <param name="placement">Where the picture lies in them.</param>
    /// <returns>The detections, the surest first, in pixels of the picture.</returns>
    /// <exception cref="InvalidModelException">The outputs are not those of the profile.</exception>
    public IReadOnlyList<Detection> Detect(Memory<float> image, PicturePlacement placement)
    {
        IReadOnlyDictionary<string, Activation> outputs = _session.Run(new(new([1, .. Size.Dimensions]), image));
        return [.. Kept(Profile, _options, outputs, Size[1], Size[2]).Select(c => new Detection(c.Label, c.Score, placement.ToPicture(c.Box), c.Mask?.In(placement)))];
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();

    /// <summary>What is kept of a network's outputs for one image, the surest first.</summary>
    internal static IEnumerable<Candidate> Kept(DetectionProfile profile, DetectionOptions options, IReadOnlyDictionary<string, Activation> outputs, int height, int width)
    {
        IReadOnlyList<Candidate> candidates = profile.Read(outputs, height, width, options.LeastScore);
        return (options.MostOverlap ?? profile.Overlap) is { } overlap
            ? NonMaximumSuppression.Keep(candidates, overlap, options.MostDetections)
            : candidates.OrderByDescending(c => c.Score).Take(options.MostDetections);
    }
}
