namespace MLNet.PQCompression.Images;

/// <summary>A picture of a source, or what is wrong with it.</summary>
/// <param name="Index">Its place in the source.</param>
/// <param name="Picture">The picture, upright; null where it cannot be read or decoded.</param>
/// <param name="Error">What is wrong with it; null where nothing is.</param>
public readonly record struct DecodedPicture(int Index, RgbImage? Picture, InvalidImageException? Error);

/// <content>Pictures as they are, in their own sizes.</content>
public sealed partial class ImageSource
{
    /// <summary>Pictures that are decoded and not yet read: a full one of 12 megapixels takes 36 MB.</summary>
    private const int DecodedAhead = 4;

    /// <summary>Decodes all images, a few ahead of whoever reads them, in order.</summary>
    /// <exception cref="OperationCanceledException">Cancellation was asked for.</exception>
    public IEnumerable<DecodedPicture> DecodeAll(CancellationToken cancellationToken = default)
    {
        var started = new Queue<Task<DecodedPicture>>();
        try
        {
            for (int next = 0; ;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                for (; next < Count && started.Count < DecodedAhead; next++)
                    started.Enqueue(StartDecoding(next));
                if (started.Count == 0)
                    yield break;
                yield return started.Dequeue().GetAwaiter().GetResult();
            }
        }
        finally
        {
            // The source may be closed next.
            Task.WaitAll([.. started], CancellationToken.None);
        }
    }

    private Task<DecodedPicture> StartDecoding(int index) => Task.Run(() =>
    {
        try
        {
            return new DecodedPicture(index, Decode(index), null);
        }
        catch (InvalidImageException e)
        {
            return new DecodedPicture(index, null, e);
        }
    });
}
