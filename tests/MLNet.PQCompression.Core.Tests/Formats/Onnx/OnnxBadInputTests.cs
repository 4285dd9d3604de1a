using System.Text;
using MLNet.PQCompression.Formats;
using MLNet.PQCompression.Formats.Onnx;
using MLNet.PQCompression.Formats.Onnx.Schema;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Formats.Onnx;

public class OnnxBadInputTests
{
    [Fact]
    public void Damaged_files_are_refused_or_read()
    {
        var stream = new MemoryStream();
        OnnxWriter.Write(SampleGraphs.EveryOperator(), stream);
        byte[] file = stream.ToArray();
        BadInput.Truncate(file, f => OnnxReader.Read(f, "damaged"), 100);
        BadInput.Corrupt(file, f => OnnxReader.Read(f, "damaged"), 1000, file.Length / 4);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html><body>404: not found</body></html>")]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:0000\nsize 12\n")]
    [InlineData("{\"model\": 1}")]
    public void Files_that_are_no_model_are_refused_by_name(string content)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, Encoding.UTF8.GetBytes(content));
            Assert.Contains(path, Assert.Throws<InvalidModelException>(() => ModelFile.Load(path)).Message);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData(1L << 40)]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    [InlineData(5)]
    public void Sizes_that_the_bytes_do_not_cover_are_refused(long size)
    {
        OnnxFile file = new OnnxFile().Node("Conv", "input w", "y").Tensor("w", 1, [1, 3, 1], new byte[12]);
        file.Model.Graph.Initializer[0].Dims.Add(size);
        Assert.Contains("'w'", Assert.Throws<InvalidModelException>(() => file.Read()).Message);
    }

    [Fact]
    public void Constants_that_would_grow_without_bounds_are_refused()
    {
        Assert.Throws<InvalidModelException>(() => new OnnxFile().Ints("s", 30_000, 30_000).Node("ConstantOfShape", "s", "c").Node("Add", "input c", "y").Read());
        OnnxFile file = new OnnxFile().Tensor("row", 7, [1, 20_000], new byte[160_000]).Tensor("column", 7, [20_000, 1], new byte[160_000]);
        Assert.Throws<InvalidModelException>(() => file.Node("Add", "row column", "c").Node("Reshape", "input c", "y").Read());
    }

    [Fact]
    public void Codes_outside_the_codebook_are_refused()
    {
        OnnxFile file = new OnnxFile().Floats("book", [2, 3]).Ints("codes", 0, 2).Ints("t", 2, 3, 1, 1)
            .Node("Gather", "book codes", "g").Node("Reshape", "g t", "w").Node("Conv", "input w", "y");
        Assert.Contains("row 2 of 2", Assert.Throws<InvalidModelException>(() => file.Read()).Message);
    }

    [Fact]
    public void Broken_graphs_are_refused()
    {
        Assert.Contains("reads 'absent'", Message(new OnnxFile().Node("Relu", "absent", "y")));
        Assert.Contains("made twice", Message(new OnnxFile().Node("Relu", "input", "y").Node("Relu", "input", "y")));
        Assert.Contains("output 'y'", Message(new OnnxFile().Node("Relu", "input", "z")));
        Assert.Contains("Conv", Message(new OnnxFile().Floats("w", [4, 5, 3, 3]).Node("Conv", "input w", "y")));
        Assert.Contains("operator set is -1", Message(new OnnxFile(-1).Node("Relu", "input", "y")));
        Assert.Contains("2 dimensions", Message(new OnnxFile(17, -1, 3).Node("Relu", "input", "y")));
        OnnxFile two = new OnnxFile().Node("Relu", "input", "y");
        two.Model.Graph.Input.Add(new ValueInfoProto { Name = "second", Type = two.Model.Graph.Input[0].Type });
        Assert.Contains("2 inputs", Message(two));
    }

    private static string Message(OnnxFile file)
    {
        string message = Assert.Throws<InvalidModelException>(() => file.Read()).Message;
        Assert.Contains("test.onnx", message);
        return message;
    }
}
