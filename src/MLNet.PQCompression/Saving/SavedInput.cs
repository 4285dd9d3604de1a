using Microsoft.ML.Data;
using MLNet.PQCompression.Columns;
using MLNet.PQCompression.Detectors;

namespace MLNet.PQCompression.Saving;

/// <summary>What a row of a loaded chain is scored from.</summary>
internal abstract class SavedInput
{
    /// <summary>The network as text, the same string in every row.</summary>
    [ColumnName(InnerColumns.Model)]
    public ReadOnlyMemory<char> Model { get; set; }

    /// <summary>Writes the network's input, and tells where the image lies in it.</summary>
    public abstract PicturePlacement Convert(ImageInput input, Span<float> destination);

    /// <summary>Does so, and names the column of an image that cannot be read.</summary>
    /// <exception cref="InvalidDataException">It cannot.</exception>
    public PicturePlacement Convert(ImageInput input, string column, Span<float> destination)
    {
        try
        {
            return Convert(input, destination);
        }
        catch (Exception e) when (ImageReader.IsBadImage(e))
        {
            throw new InvalidDataException($"Column '{column}': {e.Message}", e);
        }
    }
}

/// <summary>A row with an image of ML.NET whose size the column's type does not tell.</summary>
internal sealed class SavedImage : SavedInput
{
    [ColumnName(InnerColumns.Image), UnsizedImage]
    public MLImage? Image { get; set; }

    /// <inheritdoc/>
    public override PicturePlacement Convert(ImageInput input, Span<float> destination) => input.Convert(Image, destination);
}

/// <summary>A row with the pixels of an image of ML.NET whose size the column's type tells.</summary>
internal sealed class SavedFrame : SavedInput
{
    [ColumnName(InnerColumns.Image)]
    public VBuffer<byte> Image { get; set; }

    /// <inheritdoc/>
    public override PicturePlacement Convert(ImageInput input, Span<float> destination) => input.ConvertFrame(Image, destination);
}

/// <summary>A row with a vector of numbers.</summary>
internal sealed class SavedPixels : SavedInput
{
    [ColumnName(InnerColumns.Image)]
    public VBuffer<float> Image { get; set; }

    /// <inheritdoc/>
    public override PicturePlacement Convert(ImageInput input, Span<float> destination) => input.Convert(Image, destination);
}

/// <summary>A row with an encoded image.</summary>
internal sealed class SavedEncoded : SavedInput
{
    [ColumnName(InnerColumns.Image)]
    public VBuffer<byte> Image { get; set; }

    /// <inheritdoc/>
    public override PicturePlacement Convert(ImageInput input, Span<float> destination) => input.Convert(Image, destination);
}

/// <summary>A row with a path.</summary>
internal sealed class SavedPath : SavedInput
{
    [ColumnName(InnerColumns.Image)]
    public ReadOnlyMemory<char> Image { get; set; }

    /// <inheritdoc/>
    public override PicturePlacement Convert(ImageInput input, Span<float> destination) => input.Convert(Image, destination);
}
