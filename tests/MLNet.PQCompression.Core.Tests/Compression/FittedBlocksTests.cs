using System.Collections.Immutable;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Tests.Compression;

/// <summary>More bits for each weight: of small layers in no more bytes, by either count, and of the smallest others within the network's spare ones.</summary>
public sealed class FittedBlocksTests
{
    [Theory]
    [InlineData(64, 64, 1, 4, 256, 2, 256)]
    [InlineData(80, 64, 1, 4, 256, 2, 192)]
    [InlineData(32, 32, 3, 9, 256, 3, 256)]
    [InlineData(16, 16, 3, 9, 64, 3, 106)]
    public void A_layer_whose_codebook_outweighs_its_codes_gets_finer_blocks(int outputs, int inputs, int side, int d, int k, int fittedSize, int fittedCodewords)
    {
        (TensorShape shape, LayerGeometry geometry) = Layer(outputs, inputs, side);
        Assert.Equal((fittedSize, fittedCodewords), FittedBlocks.Of(shape, geometry, d, k, 256));
    }

    [Theory]
    [InlineData(64, 128, 1, 4, 256)] // codes weigh as much as codewords
    [InlineData(64, 64, 3, 9, 256)]
    [InlineData(512, 512, 3, 9, 256)]
    [InlineData(8, 8, 1, 4, 4)] // no codebook of eight
    public void Other_layers_keep_theirs(int outputs, int inputs, int side, int d, int k)
    {
        (TensorShape shape, LayerGeometry geometry) = Layer(outputs, inputs, side);
        Assert.Null(FittedBlocks.Of(shape, geometry, d, k, 256));
    }

    [Fact]
    public void No_layer_grows_and_each_fitted_one_has_more_bits()
    {
        foreach (int outputs in new[] { 4, 10, 16, 24, 80, 128, 320 })
            foreach (int inputs in new[] { 3, 8, 16, 58, 96, 160 })
                foreach ((int side, int d) in new[] { (1, 4), (1, 8), (3, 9), (3, 18), (5, 25), (7, 49) })
                {
                    (TensorShape shape, LayerGeometry geometry) = Layer(outputs, inputs, side);
                    foreach (int k in new[] { 8, 64, 256 })
                    {
                        if (geometry.RowLength % d != 0 || FittedBlocks.Of(shape, geometry, d, k, 256) is not { } fitted)
                            continue;
                        Assert.True(geometry.RowLength % fitted.BlockSize == 0 && shape.Count / fitted.BlockSize >= 4 * fitted.Codewords, $"{shape} d = {d}, k = {k}: {fitted}");
                        Assert.InRange(FittedBlocks.FileBytes(shape, fitted.BlockSize, fitted.Codewords), 1, FittedBlocks.FileBytes(shape, d, k));
                        Assert.InRange(Paper(shape, fitted.BlockSize, fitted.Codewords), 1, Paper(shape, d, k));
                        Assert.True(Math.Log2(fitted.Codewords) / fitted.BlockSize > Math.Log2(k) / d, $"{shape} d = {d}, k = {k}: {fitted}");
                    }
                }
    }

    [Fact]
    public void The_smallest_layers_get_finer_blocks_from_a_fortieth_of_all_bytes()
    {
        LayerPlan Layer(string name, int outputs, int inputs, int side, int d, int most = 256) => new(name, name, new(outputs, inputs, side, side), d, 256, "small blocks") { MostCodewords = most };
        ImmutableArray<LayerPlan> planned =
        [
            Layer("large1", 512, 512, 3, 9), Layer("asked", 64, 64, 3, 9, most: 0), Layer("small1", 64, 64, 3, 9), Layer("small2", 64, 64, 3, 9),
            new("dense", "dense", new(64, 3, 7, 7), 0, 0, "first convolution"), Layer("pointwise", 128, 64, 1, 4), Layer("middle", 256, 256, 3, 9), Layer("large2", 512, 512, 3, 9),
        ];
        LayerPlan[] spent = [.. FittedBlocks.SpendSpare(planned, p => LayerGeometry.Of(new Conv(Window.Square(p.Shape[2]), 1), p.Shape))];
        Assert.Equal([9, 9, 3, 3, 0, 2, 9, 9], spent.Select(l => l.BlockSize));
        Assert.All(spent.Where(l => l.IsQuantized), l => Assert.Equal(256, l.Codewords));
        long before = planned.Where(l => l.IsQuantized).Sum(l => l.PaperBytes), after = spent.Where(l => l.IsQuantized).Sum(l => l.PaperBytes);
        Assert.InRange(after, before + 1, before + before / 40);
        Assert.Contains("spare", spent[2].Reason, StringComparison.Ordinal);
        Assert.Equal(planned[1], spent[1]);
    }

    private static long Paper(TensorShape shape, int d, int k) => PaperAccounting.CodeBytes(shape.Count / d, k) + 2L * d * k;

    private static (TensorShape Shape, LayerGeometry Geometry) Layer(int outputs, int inputs, int side)
    {
        var shape = new TensorShape(outputs, inputs, side, side);
        return (shape, LayerGeometry.Of(new Conv(Window.Square(side), 1), shape));
    }
}
