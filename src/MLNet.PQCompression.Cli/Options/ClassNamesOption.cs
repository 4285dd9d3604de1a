using System.CommandLine;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Images.Coco;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>--classes, over the names that the model's metadata has.</summary>
internal sealed class ClassNamesOption
{
    private readonly Option<string?> _file = new("--classes")
    {
        HelpName = "FILE",
        Description = "The names of the classes, one a line, or a COCO json with categories; without it those in the model's metadata, if any.",
    };

    public Option Symbol => _file;

    /// <summary>The names by class index, or null where none are known.</summary>
    /// <exception cref="InvalidDataException">The number of names is not that of classes.</exception>
    public IReadOnlyList<string>? Read(ParseResult arguments, ModelGraph model, int? classes)
    {
        string? file = arguments.GetValue(_file);
        IReadOnlyList<string>? names = file is not null ? OfFile(file, DetectionProfile.Find(model)) : ClassNames.FromMetadata(model.Metadata);
        return names is null || classes is null || names.Count == classes
            ? names
            : throw new InvalidDataException($"{(file is null ? "The model's metadata" : $"'{file}'")} names {names.Count} classes, but the model has {classes}.");
    }

    /// <summary>The names of a detector's labels, as far as they are known.</summary>
    /// <exception cref="InvalidDataException">The number of names is not that of classes.</exception>
    public DetectionLabels ReadLabels(ParseResult arguments, ModelGraph model, DetectionProfile profile, int? classes)
    {
        string? file = arguments.GetValue(_file);
        IReadOnlyList<string>? names = file is not null ? OfFile(file, profile) : ClassNames.FromMetadata(model.Metadata);
        try
        {
            return names is null ? DetectionLabels.Unknown : DetectionLabels.Of(profile, names, classes);
        }
        catch (InvalidModelException e)
        {
            throw new InvalidDataException($"{file ?? "the model's metadata"}: {e.Message}", e);
        }
    }

    private static IReadOnlyList<string> OfFile(string file, DetectionProfile? profile) => !Path.GetExtension(file).Equals(".json", StringComparison.OrdinalIgnoreCase)
        ? [.. File.ReadLines(file).Select(l => l.Trim()).Where(l => l.Length > 0)]
        : CocoAnnotations.Read(file).Categories is var categories && profile is not null ? DetectionLabels.NamesOf(profile, categories) : [.. categories.Values];

    /// <summary>The number of classes that a model's output declares or must have for images of a size, or null where that cannot be told.</summary>
    public static int? Count(ModelGraph model, ImagePreprocessing preprocessing)
    {
        if (DetectionProfile.Find(model, preprocessing.Height, preprocessing.Width) is { } detector)
            return detector.Classes(model.Outputs);
        TensorShape shape = model.Outputs[0].Shape;
        if (shape.Rank == 2 && shape[1] > 0)
            return shape[1];
        try
        {
            shape = ShapeInference.Infer(model, new(1, preprocessing.Channels, preprocessing.Height, preprocessing.Width))[model.Outputs[0].Name];
            return shape.IsKnown && shape.Count <= int.MaxValue ? (int)shape.Count : null;
        }
        catch (InvalidModelException)
        {
            return null; // said with more words where the model is run
        }
    }
}
