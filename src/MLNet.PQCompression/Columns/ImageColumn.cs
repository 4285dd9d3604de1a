using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Columns;

/// <summary>The types an image column may have.</summary>
internal enum ImageColumnKind
{
    /// <summary>An image of ML.NET.</summary>
    Image,

    /// <summary>A vector of Single.</summary>
    Pixels,

    /// <summary>A vector of Byte: an encoded image.</summary>
    Encoded,

    /// <summary>Text: the path of an image file.</summary>
    Path,
}

/// <summary>An image column bound to a schema.</summary>
internal sealed class ImageColumn
{
    private const string Expected = "an image (LoadImages), a vector of Single (ExtractPixels), a vector of Byte (an encoded image) or text (a path)";

    private ImageColumn(DataViewSchema.Column column, ImageColumnKind kind, ImageInput input)
    {
        Column = column;
        Kind = kind;
        Input = input;
    }

    /// <summary>The column.</summary>
    public DataViewSchema.Column Column { get; }

    /// <summary>Its type.</summary>
    public ImageColumnKind Kind { get; }

    /// <summary>How its values become the model's input.</summary>
    public ImageInput Input { get; }

    /// <summary>Finds a column and checks that its type can be read.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The column is missing or of a type that holds no image.</exception>
    public static ImageColumn Bind(DataViewSchema schema, string name, ImageInput input)
    {
        if (schema.GetColumnOrNull(name) is not { } column)
            throw Missing(name, schema.Where(c => !c.IsHidden).Select(c => c.Name));
        if (KindOf(column.Type) is not { } kind)
            throw WrongType(name, $"{column.Type}");
        if (column.Type is VectorDataViewType vector && kind == ImageColumnKind.Pixels)
            input = CheckVector(name, vector, input);
        if (column.Type is ImageDataViewType { Height: > 0, Width: > 0 } image)
            input = input with { Size = new(image.Height, image.Width) };
        return new(column, kind, input);
    }

    /// <summary>Checks a column at the time a pipeline is put together.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The column is missing or of a type that holds no image.</exception>
    public static void Check(SchemaShape shape, string name)
    {
        SchemaShape.Column column = shape.FirstOrDefault(c => c.Name == name);
        if (column.Name is null)
            throw Missing(name, shape.Select(c => c.Name));
        bool vector = column.Kind != SchemaShape.Column.VectorKind.Scalar;
        if (KindOf(column.ItemType, vector, column.IsKey) is null)
            throw WrongType(name, vector ? $"Vector<{column.ItemType}>" : $"{column.ItemType}");
    }

    /// <summary>Reads the column in a row that has it active.</summary>
    public ImageReader OpenReader(DataViewRow row)
    {
        DataViewSchema.Column column = row.Schema[Column.Index];
        return Kind switch
        {
            ImageColumnKind.Image => new ImageReader<MLImage?>(column.Name, row, row.GetGetter<MLImage?>(column), Input.Convert),
            ImageColumnKind.Pixels => new ImageReader<VBuffer<float>>(column.Name, row, row.GetGetter<VBuffer<float>>(column), Input.Convert),
            ImageColumnKind.Encoded => new ImageReader<VBuffer<byte>>(column.Name, row, row.GetGetter<VBuffer<byte>>(column), Input.Convert),
            _ => new ImageReader<ReadOnlyMemory<char>>(column.Name, row, row.GetGetter<ReadOnlyMemory<char>>(column), Input.Convert),
        };
    }

    private static ImageColumnKind? KindOf(DataViewType type) =>
        type is VectorDataViewType vector ? KindOf(vector.ItemType, true, false) : KindOf(type, false, false);

    private static ImageColumnKind? KindOf(DataViewType itemType, bool isVector, bool isKey) => itemType switch
    {
        _ when isKey => null,
        ImageDataViewType when !isVector => ImageColumnKind.Image,
        TextDataViewType when !isVector => ImageColumnKind.Path,
        NumberDataViewType number when isVector && number == NumberDataViewType.Single => ImageColumnKind.Pixels,
        NumberDataViewType number when isVector && number == NumberDataViewType.Byte => ImageColumnKind.Encoded,
        _ => null,
    };

    private static ImageInput CheckVector(string name, VectorDataViewType vector, ImageInput input)
    {
        ImagePreprocessing p = input.Preprocessing;
        if (vector.IsKnownSize && vector.Size != input.Length)
            throw new ArgumentOutOfRangeException(nameof(name), $"The vectors of column '{name}' have {vector.Size} values, but the model takes {p.Channels}×{p.Height}×{p.Width} = {input.Length}. "
                + "Resize with ResizeImages and extract the model's channels, without alpha, with ExtractPixels.");
        if (vector.Dimensions is not [var first, var second, var third])
            return input;
        if ((first, second, third) == (p.Channels, p.Height, p.Width))
            return input with { Pixels = input.Pixels with { Layout = PixelLayout.Planar } };
        if ((first, second, third) == (p.Height, p.Width, p.Channels))
            return input with { Pixels = input.Pixels with { Layout = PixelLayout.Interleaved } };
        throw new ArgumentOutOfRangeException(nameof(name), $"The vectors of column '{name}' are {first}×{second}×{third}, but the model takes {p.Channels}×{p.Height}×{p.Width} or {p.Height}×{p.Width}×{p.Channels}.");
    }

    private static ArgumentOutOfRangeException Missing(string name, IEnumerable<string> found) =>
        new(nameof(name), $"There is no column '{name}'; the data has {string.Join(", ", found.Select(n => $"'{n}'"))}. Name the image column as inputColumnName.");

    private static ArgumentOutOfRangeException WrongType(string name, string found) =>
        new(nameof(name), $"Column '{name}' is of type {found}; {Expected} is expected.");
}
