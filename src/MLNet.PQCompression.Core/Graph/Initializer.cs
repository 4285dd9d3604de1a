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
}
