using MLNet.PQCompression.Budget;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Tests.Budget;

public sealed class ErrorModelTests
{
    [Fact]
    public void Errors_pass_through_what_was_measured_and_lie_between()
    {
        (int, double)[] measured = [(16, 0.2), (64, 0.1), (256, 0.04)];
        foreach ((int k, double error) in measured)
            Assert.Equal(error, ErrorModel.Error(measured, k), 12);
        // 32 is half way from 16 to 64 in logarithms.
        Assert.Equal(Math.Sqrt(0.2 * 0.1), ErrorModel.Error(measured, 32), 12);
        Assert.InRange(ErrorModel.Error(measured, 512), 0.001, 0.0399);
        Assert.InRange(ErrorModel.Error(measured, 8), 0.2001, 0.5);
    }

    [Fact]
    public void More_codewords_never_cost_more_even_where_a_short_search_says_so() =>
        Assert.True(ErrorModel.Error([(64, 0.1), (256, 0.11)], 1024) < 0.100001);

    [Fact]
    public void Divergence_passes_through_what_was_measured_and_lies_between()
    {
        Func<double, double> divergence = ErrorModel.Divergence([(0.08, 0.020), (0.02, 0.004), (0.3, 0.5)]);
        Assert.Equal(0.004, divergence(0.02), 9);
        Assert.Equal(0.020, divergence(0.08), 9);
        Assert.Equal(0.5, divergence(0.3), 9);
        Assert.Equal(Math.Sqrt(0.004 * 0.020), divergence(0.04), 9);
        Assert.Equal(0.002, divergence(0.01), 9);
        Assert.Equal(1.0, divergence(0.6), 9);
        Assert.Equal(0, divergence(0));
        // One measurement: proportional. One that contradicts a rise: as much as the smaller error.
        Assert.Equal(0.002, ErrorModel.Divergence([(0.02, 0.004)])(0.01), 9);
        Assert.Equal(0.01, ErrorModel.Divergence([(0.02, 0.01), (0.08, 0.005)])(0.08), 9);
    }

    [Theory]
    [InlineData(64, 64, 3, 1)]
    [InlineData(64, 64, 1, 1)]
    [InlineData(512, 512, 3, 1)]
    [InlineData(32, 1, 3, 32)]
    [InlineData(16, 8, 5, 1)]
    [InlineData(8, 3, 7, 1)]
    public void Every_choice_divides_the_rows_and_is_smaller_than_the_weight(int rows, int channels, int kernel, int groups)
    {
        var shape = new TensorShape(rows, channels, kernel, kernel);
        var grid = CandidateGrid.Of(LayerGeometry.Of(new Conv(Window.Square(kernel, 1, kernel / 2), groups), shape), shape);
        int row = channels * kernel * kernel;
        Assert.All(grid, g =>
        {
            Assert.Equal(0, row % g.BlockSize);
            Assert.NotEmpty(g.Measured);
            Assert.Subset(g.Choosable.Concat(g.Measured).ToHashSet(), g.Measured.ToHashSet());
            Assert.All(g.Choosable, k => Assert.InRange(LayerChoice.QuantizedBytes(shape, g.BlockSize, k), 1, 4 * shape.Count - 1));
            Assert.All(g.Choosable, k => Assert.True(2 * k <= shape.Count / g.BlockSize));
        });
        if (shape.Count >= 4096)
            Assert.Contains(grid, g => g.BlockSize == (kernel == 1 ? 4 : kernel * kernel));
    }
}
