using System.CommandLine;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Data;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>--strict, and what to tell of images that are left out.</summary>
internal sealed class ImageArguments
{
    /// <summary>Files that are told one by one.</summary>
    private const int MostNotes = 20;

    private readonly Option<bool> _strict = new("--strict") { Description = "Fail on the first image that cannot be read or decoded, instead of leaving it out and listing it." };

    public IReadOnlyList<Option> All => [_strict];

    /// <summary>--images, for the commands that have it.</summary>
    public static Option<string> CreateSource(bool required) => new("--images")
    {
        HelpName = "SRC",
        Description = $"A folder, a folder of class folders, a zip of either, a CSV of file,label, or one image.{(required ? "" : " (REQUIRED but for --dry-run)")}",
        Required = required,
    };

    /// <summary>What happens to an image that cannot be read or decoded.</summary>
    public OnBadImage OnBadImage(ParseResult arguments) => arguments.GetValue(_strict) ? Images.OnBadImage.Fail : Images.OnBadImage.Skip;

    /// <summary>The samples of a source. What was taken for granted about it and what it leaves out is told at once, as is an image that cannot be decoded.</summary>
    /// <exception cref="InvalidDataException">--strict, and the source leaves something out.</exception>
    public ImageSampleSource Samples(ParseResult arguments, ToolConsole console, ImageSource images, ImagePreprocessing preprocessing, int threads)
    {
        Tell(arguments, console, images);
        return new(images, preprocessing, new() { OnBadImage = OnBadImage(arguments), BadImages = new BadImageNotes(console), Threads = threads });
    }

    /// <summary>Tells what was taken for granted about a source and what it leaves out.</summary>
    /// <exception cref="InvalidDataException">--strict, and the source leaves something out.</exception>
    public void Tell(ParseResult arguments, ToolConsole console, ImageSource images)
    {
        if (arguments.GetValue(_strict) && images.LeftOut.Count > 0)
            throw new InvalidDataException($"'{images.LeftOut[0].Name}' of '{images.Path}': {images.LeftOut[0].Reason}");
        foreach (string note in images.Notes)
            console.Note($"note: {note}");
        foreach (SkippedImage left in images.LeftOut.Take(MostNotes))
            console.Note($"left out: '{left.Name}' of '{images.Path}': {left.Reason}");
        if (images.LeftOut.Count > MostNotes)
            console.Note($"left out: {images.LeftOut.Count - MostNotes} more of '{images.Path}'; --json lists all.");
    }

    /// <summary>Refuses images without a label, for the commands that learn from labels.</summary>
    /// <exception cref="InvalidDataException">An image has none.</exception>
    public static void RequireLabels(ImageSource images, string purpose)
    {
        if (images.Images.FirstOrDefault(i => i.Label < 0) is { } unlabelled)
            throw new InvalidDataException($"The image '{unlabelled.Name}' of '{images.Path}' has no label; {purpose} needs labels: a folder or zip of class folders, or a CSV of file,label.");
    }

    /// <exception cref="InvalidDataException">No image was left.</exception>
    public static void RequireSome(ImageSampleSource samples, ImageSource images)
    {
        if (samples.Count == 0)
            throw new InvalidDataException($"None of the {images.Count} images of '{images.Path}' could be decoded.");
    }

    private sealed class BadImageNotes(ToolConsole console) : IProgress<BadImage>
    {
        public void Report(BadImage value) => console.Note($"left out: {value.Error.Message}");
    }
}
