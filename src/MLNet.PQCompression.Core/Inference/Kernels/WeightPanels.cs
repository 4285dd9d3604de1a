using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>A layer's weights, ready to become panels of 32 output channels: [rows, 32] float32 in the kernel's reading order.</summary>
internal abstract unsafe class WeightPanels(int panels, int rows)
{
    /// <summary>Panels, the output channels divided by 32 and rounded up.</summary>
    public int Panels { get; } = panels;

    /// <summary>Rows of a panel.</summary>
    public int Rows { get; } = rows;

    /// <summary>Values of scratch that <see cref="Get"/> needs.</summary>
    public abstract long Scratch { get; }

    /// <summary>Bytes kept.</summary>
    public abstract long Bytes { get; }

    /// <summary>The panel, either kept or written to <paramref name="scratch"/>.</summary>
    public abstract float* Get(int panel, float* scratch);

    /// <summary>Prepares a weight of which each row is an output channel.</summary>
    /// <param name="layer">The layer, for messages.</param>
    /// <param name="weight">The weight.</param>
    /// <param name="rows">Rows of a panel.</param>
    /// <param name="rowOf">The panel row of an element of a weight's flat row.</param>
    /// <param name="store">Where codes and codebooks will lie.</param>
    /// <exception cref="InvalidModelException">The panels take more values than an array holds.</exception>
    public static WeightPanels Create(string layer, Initializer weight, int rows, Func<int, int> rowOf, WeightStore store) =>
        weight is QuantizedTensor { IsTransposed: false } quantized
            ? new CodedPanels(quantized, rows, rowOf, store)
            : new DensePanels(layer, weight as DenseTensor ?? new(weight.Shape, weight.ToDense()), rows, rowOf);
}

/// <summary>Panels kept as they are.</summary>
internal sealed unsafe class DensePanels : WeightPanels
{
    private readonly float[] _panels;

    public DensePanels(string layer, DenseTensor weight, int rows, Func<int, int> rowOf)
        : base((weight.Shape[0] + 31) / 32, rows)
    {
        _panels = PinnedFloats.Allocate(layer, (long)Panels * rows * TileOperands.PanelWidth);
        int channels = weight.Shape[0], length = channels == 0 ? 0 : (int)(weight.Shape.Count / channels);
        ReadOnlySpan<float> values = weight.Span;
        for (int i = 0; i < length; i++)
        {
            int row = rowOf(i);
            for (int o = 0; o < channels; o++)
                _panels[((long)(o / 32) * rows + row) * 32 + o % 32] = values[o * length + i];
        }
    }

    public override long Scratch => 0;

    public override long Bytes => (long)_panels.Length * sizeof(float);

    public override float* Get(int panel, float* scratch) =>
        (float*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(_panels, 0) + (long)panel * Rows * TileOperands.PanelWidth;
}
