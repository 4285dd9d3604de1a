using System.Collections.Immutable;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Images;

/// <summary>How pictures become a model's input, and who says so.</summary>
/// <param name="Preprocessing">What is done.</param>
/// <param name="Sources">Where what is known of it stands: the model's metadata, its first nodes, a file beside it; empty where nothing says anything.</param>
/// <param name="Assumed">The parts that nothing states and that were taken as most networks have them: "order", "range", "mean and std", "fit".</param>
public sealed record StatedPreprocessing(ImagePreprocessing Preprocessing, ImmutableArray<string> Sources, ImmutableArray<string> Assumed)
{
    private static readonly ImmutableArray<string> Parts = ["order", "range", "mean and std", "fit"];

    /// <summary>Whether nothing was assumed that changes a pixel's value.</summary>
    public bool AreValuesStated => !Assumed.Any(a => a != "fit");

    /// <summary>Finds it out: from the model's metadata, else from a file beside it (preprocessor_config.json, config.json of timm, *Preprocess.onnx), else from its first nodes and its input's type, else as most networks have it.</summary>
    /// <param name="model">The model.</param>
    /// <param name="modelFile">Where it was read from; null where there is no file, and none beside it.</param>
    /// <exception cref="FormatException">The model's metadata entry is broken.</exception>
    /// <exception cref="ArgumentException">The model's input is no image.</exception>
    public static StatedPreprocessing For(ModelGraph model, string? modelFile = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (ImagePreprocessing.FromMetadata(model.Metadata) is { } written)
            return new(written, ["the model's metadata"], []);
        ImagePreprocessing standard = ImagePreprocessing.Default(model.Input.Shape);
        if (CompanionFile.Find(modelFile, standard) is { } companion)
            return companion;
        StatedPreprocessing assumed = DetectorPreprocessing.UsualOf(model, standard) is { } usual ? new(usual.Preprocessing, [$"what {usual.Profile.Name} detectors are usually given"], Parts)
            : model.Origin is OnnxDocument { Input: { TakesWholeNumbers: true } input } ? PlainPixels(standard, input)
            : new(standard, [], Parts);
        return GraphPreprocessing.Of(model) is { } nodes ? assumed.With(nodes) : assumed;
    }

    /// <summary>For a person: who states it, and what is assumed.</summary>
    public string Origin
    {
        get
        {
            string source = Sources.IsEmpty ? "" : $"by {string.Join(" and ", Sources)}";
            return Assumed.IsEmpty ? source : $"{source}{(Sources.IsEmpty ? "" : "; ")}{string.Join(", ", Assumed)} assumed, since nothing states {(Assumed.Length == 1 ? "it" : "them")}";
        }
    }

    /// <summary>One sentence for a person: what is done to pictures, who says so, and what is assumed.</summary>
    public override string ToString() => $"{Preprocessing.Describe()} ({Origin})";

    /// <summary>Whole numbers can only be pixels as they are; an encoded picture says by itself which channel is which.</summary>
    private static StatedPreprocessing PlainPixels(ImagePreprocessing standard, DocumentInput input)
    {
        ImagePreprocessing plain = standard with { Range = 255, Mean = [.. standard.Mean.Select(_ => 0f)], Std = [.. standard.Std.Select(_ => 1f)] };
        return input.Layout == ImageLayout.Encoded ? new(plain, ["the model's input, an encoded picture"], ["fit"]) : new(plain, ["the model's input of whole numbers"], ["order", "fit"]);
    }

    /// <summary>The first nodes do the rest themselves: what they are given are plain pixels.</summary>
    private StatedPreprocessing With(GraphPreprocessing nodes)
    {
        if (nodes.Range is null && nodes.Order is null)
            return this;
        ImagePreprocessing plain = Preprocessing;
        var assumed = Assumed.ToList();
        if (nodes.Range is { } range)
        {
            plain = plain with { Range = range, Mean = [.. plain.Mean.Select(_ => 0f)], Std = [.. plain.Std.Select(_ => 1f)] };
            assumed.RemoveAll(a => a is "range" or "mean and std");
        }
        if (nodes.Order is { } order)
        {
            plain = plain with { Order = order };
            assumed.Remove("order");
        }
        return new(plain, [$"the model's first nodes ({string.Join(", ", nodes.Nodes)})"], [.. assumed]);
    }
}
