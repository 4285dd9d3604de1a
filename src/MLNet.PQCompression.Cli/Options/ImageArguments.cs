using System.CommandLine;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>--strict, and what to tell of images that are left out.</summary>
internal sealed class ImageArguments
{
    private readonly Option<bool> _strict = new("--strict") { Description = "Fail on the first image that cannot be decoded, instead of leaving it out and listing it." };

    public IReadOnlyList<Option> All => [_strict];

    /// <summary>--images, for the commands that have it.</summary>
    public static Option<string> CreateSource(bool required) => new("--images")
    {
        HelpName = "SRC",
        Description = "A folder, a folder of class folders, a zip of either, a CSV of file,label, or one image.",
        Required = required,
    };

    /// <summary>The samples of a source; an image that cannot be decoded is told at once.</summary>
    public ImageSampleSource Samples(ParseResult arguments, ToolConsole console, ImageSource images, ImagePreprocessing preprocessing, int threads) =>
        new(images, preprocessing, new()
        {
            OnBadImage = arguments.GetValue(_strict) ? OnBadImage.Fail : OnBadImage.Skip,
            BadImages = new BadImageNotes(console),
            Threads = threads,
        });

    /// <exception cref="InvalidDataException">No image was left.</exception>
    public static void RequireSome(ImageSampleSource samples, ImageSource images)
    {
        if (samples.Skipped.Count == images.Count)
            throw new InvalidDataException($"None of the {images.Count} images of '{images.Path}' could be decoded.");
    }

    private sealed class BadImageNotes(ToolConsole console) : IProgress<BadImage>
    {
        public void Report(BadImage value) => console.Note($"left out: {value.Error.Message}");
    }
}
