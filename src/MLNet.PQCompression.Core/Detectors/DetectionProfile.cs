using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;

namespace MLNet.PQCompression.Detectors;

/// <summary>What the outputs of a family of detectors mean: which are the boxes, in what units, and how classes are numbered.</summary>
/// <param name="name">What it is called in options and messages.</param>
/// <param name="expects">The outputs in words, for messages.</param>
/// <param name="labels">What labels count.</param>
/// <param name="overlap">The usual <see cref="DetectionOptions.MostOverlap"/>; null where the network itself leaves out what it says twice.</param>
public abstract class DetectionProfile(string name, string expects, LabelNumbering labels, double? overlap)
{
    /// <summary>The families that are known.</summary>
    public static IReadOnlyList<DetectionProfile> All { get; } = [new TorchvisionProfile(), new SsdProfile(), new YoloxProfile(), new UltraFaceProfile()];

    /// <summary>What it is called.</summary>
    public string Name { get; } = name;

    /// <summary>The outputs that it takes, in words.</summary>
    public string Expects { get; } = expects;

    /// <summary>What labels count.</summary>
    public LabelNumbering Labels { get; } = labels;

    /// <summary>By how much boxes of one class overlap at most by default; null where the network itself sees to it.</summary>
    public double? Overlap { get; } = overlap;

    /// <summary>The names of the classes that such detectors usually have, in the order of the labels; empty where they have any.</summary>
    public virtual IReadOnlyList<string> UsualNames => [];

    /// <summary>Whether a network's outputs plainly are those of such a detector. A value without a declared shape says nothing.</summary>
    /// <param name="outputs">The outputs as the network declares them.</param>
    /// <param name="height">The height of its input in pixels, or -1.</param>
    /// <param name="width">The width of its input in pixels, or -1.</param>
    public abstract bool Fits(IReadOnlyList<ValueInfo> outputs, int height, int width);

    /// <summary>How many classes the outputs have; null where they do not tell.</summary>
    /// <param name="outputs">The outputs as the network declares them.</param>
    public virtual int? Classes(IReadOnlyList<ValueInfo> outputs) => null;

    /// <summary>Whether the detector gives masks.</summary>
    /// <param name="outputs">The outputs as the network declares them.</param>
    public virtual bool HasMasks(IReadOnlyList<ValueInfo> outputs) => false;

    /// <summary>The profile of a name, or null.</summary>
    public static DetectionProfile? Named(string name) => All.FirstOrDefault(p => p.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads what a network says of one image.</summary>
    /// <param name="outputs">The values of the outputs.</param>
    /// <param name="height">The height of the input in pixels.</param>
    /// <param name="width">The width of the input in pixels.</param>
    /// <param name="leastScore">Candidates with a lower score are left out.</param>
    /// <exception cref="InvalidModelException">The values are not those of such a detector; the message says what was expected.</exception>
    public abstract IReadOnlyList<Candidate> Read(IReadOnlyDictionary<string, Activation> outputs, int height, int width, float leastScore);

    /// <summary>The profile of a network, or null where none or more than one fits.</summary>
    /// <param name="model">The network.</param>
    /// <param name="height">The height of its input in pixels, where the network leaves it open.</param>
    /// <param name="width">The width of its input in pixels, where the network leaves it open.</param>
    public static DetectionProfile? Find(ModelGraph model, int height = -1, int width = -1)
    {
        ArgumentNullException.ThrowIfNull(model);
        TensorShape input = model.Input.Shape;
        if (input.Rank != 4)
            return null;
        DetectionProfile[] fitting = [.. All.Where(p => p.Fits(model.Outputs, input[2] > 0 ? input[2] : height, input[3] > 0 ? input[3] : width))];
        return fitting is [var one] ? one : null;
    }

    /// <summary>Makes sure that a network's outputs, where they have declared shapes, are those of such a detector.</summary>
    /// <exception cref="InvalidModelException">They are not.</exception>
    public void Require(ModelGraph model, int height, int width)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!model.Outputs.Any(o => o.Shape.Rank == 0) && !Fits(model.Outputs, height, width))
            throw Refusal(model.Outputs.Select(o => (o.Name, o.Shape)));
    }

    /// <summary>The exception for outputs that are of another kind.</summary>
    protected InvalidModelException Refusal(IEnumerable<(string Name, TensorShape Shape)> outputs) =>
        new($"The profile '{Name}' is for detectors that give {Expects}; this model gives {string.Join(", ", outputs.Select(o => $"{o.Name} [{o.Shape}]"))}. "
            + $"The profiles are {string.Join(", ", All.Select(p => p.Name))}.");

    /// <summary>The exception for values that are of another kind.</summary>
    protected InvalidModelException Refusal(IReadOnlyDictionary<string, Activation> outputs) => Refusal(outputs.Select(o => (o.Key, o.Value.Shape)));
}
