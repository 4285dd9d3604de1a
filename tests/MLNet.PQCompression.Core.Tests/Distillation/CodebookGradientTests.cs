using MLNet.PQCompression.Distillation;

namespace MLNet.PQCompression.Tests.Distillation;

public class CodebookGradientTests
{
    [SkippableFact]
    public void Three_steps_equal_the_reference()
    {
        float[] codebook = NpyFile.Load(SharedData.Require("reference/em_case/C_iter10.npy")).Floats();
        int[] blockMajor = NpyFile.Load(SharedData.Require("reference/em_case/A_iter10.npy")).Ints();
        float[] gradients = NpyFile.Load(SharedData.Require("reference/em_case/sgd_grads_3x64x64x3x3.npy")).Floats();
        float[] expectedCodebook = NpyFile.Load(SharedData.Require("reference/em_case/sgd_C3_256x9.npy")).Floats();
        float[] expectedWeight = NpyFile.Load(SharedData.Require("reference/em_case/sgd_W3.npy")).Floats();
        const int Rows = 64, Blocks = 64, Size = 9;
        var codes = new ushort[Rows * Blocks];
        for (int o = 0; o < Rows; o++)
            for (int b = 0; b < Blocks; b++)
                codes[o * Blocks + b] = (ushort)blockMajor[b * Rows + o];
        var optimizer = new Optimizer(new SgdOptions(0.9, 1e-4), [KeyValuePair.Create("codebook", codebook.Length)]);
        var gradient = new float[codebook.Length];
        for (int step = 0; step < 3; step++)
        {
            CodebookGradient.Mean(gradients.AsSpan(step * codes.Length * Size, codes.Length * Size), codes, Size, gradient);
            optimizer.BeginStep();
            optimizer.Move("codebook", codebook, gradient, 0.01);
        }
        for (int i = 0; i < codebook.Length; i++)
            Assert.Equal(expectedCodebook[i], codebook[i], 1e-6);
        for (int i = 0; i < codes.Length * Size; i++)
            Assert.Equal(expectedWeight[i], codebook[codes[i / Size] * Size + i % Size], 1e-6);
    }

    [Fact]
    public void An_unused_codeword_has_no_gradient()
    {
        var gradient = new float[6];
        CodebookGradient.Mean([1, 2, 3, 4, 5, 6], [2, 0, 2], 2, gradient);
        Assert.Equal([3, 4, 0, 0, 3, 4], gradient);
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentException>(() => CodebookGradient.Mean([1, 2, 3], [0, 0], 2, new float[2]));
        Assert.Throws<ArgumentException>(() => CodebookGradient.Mean([1, 2, 3, 4], [0, 0], 2, new float[3]));
    }
}
