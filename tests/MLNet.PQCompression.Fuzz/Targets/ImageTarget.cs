using MLNet.PQCompression.Fuzz.Mutation;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Fuzz.Targets;

/// <summary>Pictures of every format, damaged by their chunks and segments.</summary>
internal sealed class ImageTarget : IFuzzTarget
{
    private static readonly ImageDecoderOptions Options = new() { MaxPixels = 1 << 18 }, Lenient = Options with { AllowTruncated = true };

    private readonly byte[][] _files = [.. Pictures.All()];

    public string Name => "images";

    public IEnumerable<byte[]> Sound => _files;

    public byte[] Make(Random random) => PictureMutator.Mutate(_files[random.Next(_files.Length)], random);

    public Outcome Run(byte[] file)
    {
        ImageDecoder.Decode(file, file.Length % 2 == 0 ? Options : Lenient);
        return Outcome.Read;
    }

    public bool IsDocumented(Exception exception) => exception is InvalidImageException;
}
