using Microsoft.ML;
using Microsoft.ML.Data;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Columns;

/// <summary>Reads the image of a row's current position.</summary>
internal abstract class ImageReader
{
    /// <summary>Writes the model's input of the current row.</summary>
    /// <param name="destination">C×H×W values.</param>
    /// <returns>Where the image lies in them.</returns>
    /// <exception cref="ImageRowException">The row has no image that can be used.</exception>
    public abstract PicturePlacement Read(Span<float> destination);

    /// <summary>Whether an exception tells of a row's image, and not of a fault elsewhere.</summary>
    public static bool IsBadImage(Exception e) =>
        e is InvalidImageException or IOException or InvalidDataException or UnauthorizedAccessException or ArgumentException or InvalidOperationException;
}

/// <summary>Turns a column's value into a model's input, and tells where the image lies in it.</summary>
internal delegate PicturePlacement ImageConversion<T>(in T value, Span<float> destination);

/// <summary>Reads the image of a row's current position from a column of type <typeparamref name="T"/>.</summary>
internal sealed class ImageReader<T>(string columnName, DataViewRow row, ValueGetter<T> getter, ImageConversion<T> convert) : ImageReader
{
    private T _value = default!;

    /// <inheritdoc/>
    public override PicturePlacement Read(Span<float> destination)
    {
        try
        {
            getter(ref _value);
            return convert(_value, destination);
        }
        catch (Exception e) when (IsBadImage(e))
        {
            throw new ImageRowException(columnName, row.Position, e.Message, e);
        }
    }
}
