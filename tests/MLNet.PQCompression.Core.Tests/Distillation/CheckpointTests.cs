using MLNet.PQCompression.Distillation.Checkpoints;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Distillation;

public sealed class CheckpointTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
    private readonly string _key = CheckpointFolder.Key("model", "data", "options");

    public void Dispose()
    {
        if (Directory.Exists(_path))
            Directory.Delete(_path, recursive: true);
    }

    [Fact]
    public void A_checkpoint_comes_back_as_it_was()
    {
        CheckpointFolder folder = Saved();
        Checkpoint read = folder.Load(_key)!;
        Assert.Equal(("layers", 7L), (read.Stage, read.Position));
        Assert.Equal([1.5f, float.NaN, -0f], read.Values["w"]);
        Assert.Equal([3, 65535], read.Codes["w"].Select(c => (int)c));
        folder.Delete(_key);
        Assert.Null(folder.Load(_key));
    }

    [Fact]
    public void Keys_depend_on_every_part_and_where_one_ends()
    {
        Assert.NotEqual(CheckpointFolder.Key("ab", "c"), CheckpointFolder.Key("a", "bc"));
        Assert.NotEqual(CheckpointFolder.Key("a"), CheckpointFolder.Key("a", ""));
        Assert.Equal(_key, CheckpointFolder.Key("model", "data", "options"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(60)]
    [InlineData(-1)]
    public void A_truncated_file_is_refused(int length)
    {
        CheckpointFolder folder = Saved();
        byte[] file = File.ReadAllBytes(folder.PathOf(_key));
        File.WriteAllBytes(folder.PathOf(_key), length >= 0 ? file[..length] : file[..^1]);
        Assert.Contains(folder.PathOf(_key), Assert.Throws<InvalidDataException>(() => folder.Load(_key)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_changed_byte_is_refused()
    {
        CheckpointFolder folder = Saved();
        byte[] file = File.ReadAllBytes(folder.PathOf(_key));
        for (int i = 0; i < file.Length; i++)
        {
            file[i] ^= 0x40;
            File.WriteAllBytes(folder.PathOf(_key), file);
            Assert.Throws<InvalidDataException>(() => folder.Load(_key));
            file[i] ^= 0x40;
        }
    }

    [Fact]
    public void The_file_of_another_run_is_refused()
    {
        CheckpointFolder folder = Saved();
        string other = CheckpointFolder.Key("other");
        File.Move(folder.PathOf(_key), folder.PathOf(other));
        Assert.Throws<InvalidDataException>(() => folder.Load(other));
    }

    [Fact]
    public void A_student_comes_back_as_it_was()
    {
        Checkpoint state = StudentState.Capture(TinyNetwork.Teacher, TinyNetwork.Student, "layers", 2);
        Assert.Equal(["conv2.weight", "conv3.weight"], state.Codes.Keys.Order(StringComparer.Ordinal));
        ModelGraph restored = StudentState.Restore(TinyNetwork.Teacher, state);
        foreach ((string name, Initializer initializer) in TinyNetwork.Student.Initializers)
            Assert.True(initializer.ToDense().Span.SequenceEqual(restored.Initializers[name].ToDense().Span), name);
        Assert.Equal(9, ((QuantizedTensor)restored.Initializers["conv2.weight"]).BlockSize);
    }

    [Fact]
    public void The_state_of_another_model_is_refused()
    {
        var codes = new Dictionary<string, ushort[]> { ["nothing.like.it"] = [0, 1] };
        Assert.Throws<InvalidDataException>(() => StudentState.Restore(TinyNetwork.Teacher, new("layers", 1, new Dictionary<string, float[]>(), codes)));
    }

    private CheckpointFolder Saved()
    {
        var folder = new CheckpointFolder(_path);
        folder.Save(_key, new(
            "layers", 7, new Dictionary<string, float[]> { ["w"] = [1.5f, float.NaN, -0f], ["empty"] = [] }, new Dictionary<string, ushort[]> { ["w"] = [3, 65535] }));
        Assert.Equal([folder.PathOf(_key)], Directory.GetFiles(_path));
        return folder;
    }
}
