using System.CommandLine;
using MLNet.PQCompression.Cli.Terminal;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Reporting;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>--held-out: how many images are kept out of the work to check its result on.</summary>
internal sealed class HeldOutOption
{
    private readonly Option<int?> _count = new Option<int?>("--held-out")
    {
        HelpName = "N",
        Description = "Images kept out of the work and compared on at the end; 0 for none. [default: a tenth, 32 to 1000; none below 128 images]",
    }.AtLeast(0);

    public Option Symbol => _count;

    /// <summary>Parts images, in random order already, into those to work with and those to check on.</summary>
    /// <exception cref="UsageException">Nothing would be left to work with.</exception>
    public (ImageSource Work, ImageSource? HeldOut) Split(ParseResult arguments, ImageSource images)
    {
        int held = arguments.GetValue(_count) ?? HeldOutCheck.CountOf(images.Count);
        if (held >= images.Count)
            throw new UsageException($"--held-out {held} leaves none of the {images.Count} images of '{images.Path}' to compress with.");
        return held == 0 ? (images, null) : (images.Take(images.Count - held), images.Skip(images.Count - held));
    }
}
