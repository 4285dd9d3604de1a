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

    /// <summary>The number of classes that a model's output declares, or null where it does not.</summary>
    public static int? Declared(ModelGraph model) => model.Outputs[0].Shape is { Rank: 2 } shape && shape[1] > 0 ? shape[1] : null;
}
