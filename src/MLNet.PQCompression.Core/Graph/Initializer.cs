namespace MLNet.PQCompression.Graph;

/// <summary>A constant of a <see cref="ModelGraph"/>: a dense or a product-quantized tensor of real numbers.</summary>
public abstract class Initializer
{
    private protected Initializer(TensorShape shape)
    {
        if (!TensorSize.Fits(shape))
            throw new ArgumentException($"An initializer needs a known shape of at most {Array.MaxLength} elements, not {shape}.", nameof(shape));
        Shape = shape;
    }

    /// <summary>The shape of the tensor as the operators see it.</summary>
    public TensorShape Shape { get; }

    /// <summary>The tensor as dense row-major float32. A quantized tensor is decoded anew on each call.</summary>
    public abstract ReadOnlyMemory<float> ToDense();

    /// <summary>The values of <see cref="ToDense"/>.</summary>
    internal virtual ReadOnlySpan<float> Values => ToDense().Span;

    /// <summary>A shape with dimensions 0 and 1 exchanged.</summary>
    internal static TensorShape Exchanged(TensorShape shape) => shape.With(0, shape[1]).With(1, shape[0]);

    /// <summary>The values of a tensor with its dimensions 0 and 1 exchanged.</summary>
    internal static float[] Exchange(ReadOnlySpan<float> values, TensorShape shape)
    {
        (int rows, int columns) = (shape[0], shape[1]);
        int length = rows * columns == 0 ? 0 : values.Length / rows / columns;
        var exchanged = new float[values.Length];
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                values.Slice((i * columns + j) * length, length).CopyTo(exchanged.AsSpan((j * rows + i) * length));
        return exchanged;
    }
}
