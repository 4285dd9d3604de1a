using System.CommandLine;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>--classes, over the names that the model's metadata has.</summary>
internal sealed class ClassNamesOption
{
    private readonly Option<string?> _file = new("--classes")
    {
        HelpName = "FILE",
        Description = "The names of the classes, one a line; without it those in the model's metadata, if any.",
    };

    public Option Symbol => _file;

    /// <summary>The names by class index, or null where none are known.</summary>
    /// <exception cref="InvalidDataException">The number of names is not that of classes.</exception>
    public IReadOnlyList<string>? Read(ParseResult arguments, ModelGraph model, int? classes)
    {
        string? file = arguments.GetValue(_file);
        IReadOnlyList<string>? names = file is not null
            ? [.. File.ReadLines(file).Select(l => l.Trim()).Where(l => l.Length > 0)]
            : ClassNames.FromMetadata(model.Metadata);
        return names is null || classes is null || names.Count == classes
            ? names
            : throw new InvalidDataException($"{(file is null ? "The model's metadata" : $"'{file}'")} names {names.Count} classes, but the model has {classes}.");
    }

    /// <summary>The number of classes that a model's output declares or must have for images of a size, or null where that cannot be told.</summary>
    public static int? Count(ModelGraph model, ImagePreprocessing preprocessing)
    {
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
