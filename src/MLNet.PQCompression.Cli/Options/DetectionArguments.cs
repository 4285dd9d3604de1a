using System.CommandLine;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>What a detector's outputs mean, and what is shown of them: --profile, --score, --draw.</summary>
internal sealed class DetectionArguments
{
    private static readonly string Profiles = string.Join('|', DetectionProfile.All.Select(p => p.Name));

    private readonly Option<float?> _score = new("--score") { HelpName = "X", Description = "For detectors: the least score of an object that is shown, 0 to 1. [default: 0.3]" };
    private readonly Option<string?> _draw = new("--draw") { HelpName = "FOLDER", Description = "For detectors: write each image with the objects drawn on it there; .jpg files as JPEG, all others as PNG." };
    private readonly Option<bool> _overwrite = new("--overwrite") { Description = "Replace drawn images that exist." };

    public DetectionArguments()
    {
        Profile.CompletionSources.Add(Profiles.Split('|'));
        Profile.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && DetectionProfile.Named(result.Tokens[0].Value) is null)
                result.AddError($"--profile '{result.Tokens[0].Value}': expected {Profiles}.");
        });
        _score.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<float?>() is { } score && score is not (>= 0 and <= 1))
                result.AddError($"--score must be 0 to 1, not {score}.");
        });
    }

    /// <summary>--profile.</summary>
    public Option<string?> Profile { get; } = new("--profile") { HelpName = Profiles, Description = "What a detector's outputs mean; found out from their names and shapes where it is left out." };

    public IReadOnlyList<Option> All => [Profile, _score, _draw, _overwrite];

    /// <summary>The profile that is named, or null.</summary>
    public DetectionProfile? Chosen(ParseResult arguments) => arguments.GetValue(Profile) is { } name ? DetectionProfile.Named(name) : null;

    /// <summary>Which detections are shown.</summary>
    public DetectionOptions Options(ParseResult arguments) => new() { LeastScore = arguments.GetValue(_score) ?? 0.3f };

    /// <summary>Where drawn images go; null where none are wanted.</summary>
    /// <exception cref="IOException">One cannot be written there.</exception>
    public DrawingFolder? Folder(ParseResult arguments, ImageSource images) =>
        arguments.GetValue(_draw) is { } folder ? new(folder, images, arguments.GetValue(_overwrite)) : null;

    /// <summary>Refuses to part detections over several runs: average precision is of all of them together.</summary>
    /// <exception cref="UsageException">One of the options is given.</exception>
    public static void RefuseShards(ParseResult arguments, IEnumerable<Option> shards)
    {
        if (shards.FirstOrDefault(o => arguments.GetResult(o) is { Implicit: false }) is { } option)
            throw new UsageException($"{option.Name} is not for detections; with --task outputs the outputs of a detector can be kept.");
    }

    /// <summary>Refuses the options for models that are no detectors.</summary>
    /// <exception cref="UsageException">One is given.</exception>
    public void RefuseForOthers(ParseResult arguments, ModelGraph model)
    {
        if (All.FirstOrDefault(o => arguments.GetResult(o) is { Implicit: false }) is { } option)
            throw new UsageException($"{option.Name} is for detectors, and it cannot be told that this model is one: its outputs are {string.Join(", ", model.Outputs.Select(o => $"{o.Name} [{o.Shape}]"))}. Name a --profile ({Profiles}).");
    }
}
