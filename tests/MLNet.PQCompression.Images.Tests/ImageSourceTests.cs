using MLNet.PQCompression.Images;

namespace MLNet.PQCompression.Tests.Images;

public sealed class ImageSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_is_read_with_the_folders_inside_in_ordinal_order()
    {
        foreach (string name in new[] { "b.pgm", "a/z.PNG", "a/k.jpeg", "C.bmp", "notes.txt", ".hidden.png", ".git/x.png", "a/.cache/y.png" })
            _folder.Write(name, TemporaryFolder.Pixel(1));

        using var source = ImageSource.Open(_folder.Path);
        Assert.Equal(["C.bmp", "a/k.jpeg", "a/z.PNG", "b.pgm"], source.Images.Select(i => i.Name));
        Assert.All(source.Images, image => Assert.Equal(-1, image.Label));
        Assert.Empty(source.ClassNames);
        Assert.False(source.HasLabels);
    }

    [Fact]
    public void Classes_can_be_numbered_as_a_model_names_them()
    {
        foreach (string name in new[] { "cat/1.pgm", "dog/2.pgm" })
            _folder.Write(name, TemporaryFolder.Pixel(1));
        using var source = ImageSource.Open(_folder.Path);
        ImageSource ordered = source.WithClassesOf(["eel", "dog", "cat"]);
        Assert.Equal([2, 1], ordered.Images.Select(i => i.Label));
        Assert.Equal(["eel", "dog", "cat"], ordered.ClassNames);
        Assert.Empty(ordered.Notes);
        Assert.Contains("'cat'", Assert.Throws<InvalidDataException>(() => source.WithClassesOf(["eel", "dog"])).Message, StringComparison.Ordinal);
        Assert.Contains("cat, dog", Assert.Throws<InvalidDataException>(() => source.WithClassesOf(null, 3)).Message, StringComparison.Ordinal);
        Assert.Contains("cat, dog", Assert.Single(source.WithClassesOf(null, 2).Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Folders_name_the_classes()
    {
        foreach (string name in new[] { "set/dog/1.pgm", "set/cat/2.pgm", "set/cat/deep/3.pgm", "set/Zebra/4.pgm" })
            _folder.Write(name, TemporaryFolder.Pixel(1));

        using var source = ImageSource.Open(_folder.Path);
        Assert.Equal(["Zebra", "cat", "dog"], source.ClassNames);
        Assert.Equal([("set/Zebra/4.pgm", 0), ("set/cat/2.pgm", 1), ("set/cat/deep/3.pgm", 1), ("set/dog/1.pgm", 2)], source.Images.Select(i => (i.Name, i.Label)));
    }

    [Fact]
    public void One_folder_or_an_image_beside_the_folders_makes_no_classes()
    {
        _folder.Write("only/1.pgm", TemporaryFolder.Pixel(1));
        using (var source = ImageSource.Open(_folder.Path))
            Assert.Empty(source.ClassNames);
        _folder.Write("other/2.pgm", TemporaryFolder.Pixel(1));
        using (var source = ImageSource.Open(_folder.Path))
            Assert.Equal(["only", "other"], source.ClassNames);
        _folder.Write("0.pgm", TemporaryFolder.Pixel(1));
        using (var source = ImageSource.Open(_folder.Path))
            Assert.Empty(source.ClassNames);
    }

    [Theory]
    [InlineData("file,class_index\nx/1.pgm,7\n\"y,2.pgm\",3\n", new[] { 7, 3 })]
    [InlineData("label;ignored,Path\r\nfoo,x/1.pgm\r\nbar,\"y,2.pgm\"\r\n", new[] { -1, -1 })]
    [InlineData("x/1.pgm,dog\n\"y,2.pgm\",cat", new[] { 1, 0 })]
    [InlineData("x/1.pgm\n\"y,2.pgm\"\n\n", new[] { -1, -1 })]
    [InlineData("\uFEFFlabel,image\n5,x/1.pgm\n,\"y,2.pgm\"", new[] { 5, -1 })]
    public void A_list_gives_files_and_labels(string csv, int[] labels)
    {
        _folder.Write("data/x/1.pgm", TemporaryFolder.Pixel(1));
        _folder.Write("data/y,2.pgm", TemporaryFolder.Pixel(2));

        using var source = ImageSource.Open(_folder.Write("list.csv", csv));
        Assert.Equal([("x/1.pgm", labels[0]), ("y,2.pgm", labels[1])], source.Images.Select(i => (i.Name, i.Label)));
        Assert.Equal([2, 2, 2], source.Decode(1).Pixels);
    }

    [Fact]
    public void A_list_finds_its_files_in_an_archive_beside_it()
    {
        _folder.WriteZip("0-other.zip", ("q.pgm", []));
        _folder.WriteZip("images.zip", ("1.pgm", TemporaryFolder.Pixel(9)));

        using var source = ImageSource.Open(_folder.Write("list.csv", "1.pgm,0"));
        Assert.Equal([9, 9, 9], source.Decode(0).Pixels);
    }

    [Fact]
    public void A_list_whose_first_file_is_missing_is_read_and_a_broken_archive_beside_it_passed_over()
    {
        _folder.Write("0.zip", "no archive");
        _folder.WriteZip("images.zip", ("2.pgm", TemporaryFolder.Pixel(9)));

        using var source = ImageSource.Open(_folder.Write("list.csv", "1.pgm,0\n2.pgm,1\n"));
        Assert.Equal([9, 9, 9], source.Decode(1).Pixels);
        Assert.Contains("1.pgm", Assert.Throws<InvalidImageException>(() => source.Decode(0)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "lists no image")]
    [InlineData("file,label\n", "lists no image")]
    [InlineData("missing.pgm,1", "missing.pgm")]
    [InlineData("\"open", "not closed")]
    [InlineData("label,file\n3,\n", "row 2")]
    public void A_broken_list_is_refused(string csv, string word)
    {
        string path = _folder.Write("list.csv", csv);

        InvalidDataException e = Assert.Throws<InvalidDataException>(() => ImageSource.Open(path));
        Assert.Contains(word, e.Message);
        Assert.Contains("list.csv", e.Message);
    }

    [Fact]
    public void Labels_are_joined_by_name_or_by_file_name()
    {
        string zip = _folder.WriteZip("set.zip", ("val/1.pgm", []), ("val/2.pgm", []), ("val/3.pgm", []));
        using var source = ImageSource.Open(zip);

        Assert.Equal([4, 5, -1], source.WithLabels(_folder.Write("l.csv", "file,class_index\n2.pgm,5\nval/1.pgm,4\nextra.pgm,9\n")).Images.Select(i => i.Label));
        ImageSource named = source.WithLabels(_folder.Write("n.csv", "1.pgm,wolf\n2.pgm,bear\n3.pgm,wolf\n"));
        Assert.Equal(["bear", "wolf"], named.ClassNames);
        Assert.Equal([1, 0, 1], named.Images.Select(i => i.Label));
        Assert.Throws<InvalidDataException>(() => source.WithLabels(_folder.Write("x.csv", "other.pgm,1\n")));
    }

    [Fact]
    public void A_class_that_is_not_known_is_refused()
    {
        using var source = ImageSource.Open(_folder.WriteZip("set.zip", ("a/1.pgm", []), ("b/2.pgm", [])));

        Assert.Equal([1, 0], source.WithLabels(_folder.Write("l.csv", "1.pgm,b\n2.pgm,a\n")).Images.Select(i => i.Label));
        Assert.Contains("'c'", Assert.Throws<InvalidDataException>(() => source.WithLabels(_folder.Write("l.csv", "1.pgm,c\n2.pgm,a\n"))).Message);
        // Folders that have nothing to do with the labels are no classes.
        Assert.Equal(["c", "d"], source.WithLabels(_folder.Write("l.csv", "1.pgm,d\n2.pgm,c\n")).ClassNames);
    }

    [Fact]
    public void Class_folders_that_are_numbers_are_numbered_by_value()
    {
        foreach (string name in new[] { "10/a.pgm", "9/a.pgm", "2/a.pgm" })
            _folder.Write(name, TemporaryFolder.Pixel(1));
        using var source = ImageSource.Open(_folder.Path);
        Assert.Equal(["2", "9", "10"], source.ClassNames);
        Assert.Equal([("10/a.pgm", 10), ("2/a.pgm", 2), ("9/a.pgm", 9)], source.WithClassesOf(null, 11).Images.Select(i => (i.Name, i.Label)));
        Assert.Equal([2, 0, 1], source.WithClassesOf(["2", "9", "10"]).Images.Select(i => i.Label));
        Assert.Contains("label 10", Assert.Throws<InvalidDataException>(() => source.WithClassesOf(null, 10)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_class_folder_keeps_its_number()
    {
        _folder.Write("b/1.pgm", TemporaryFolder.Pixel(1));
        _folder.Write("c/1.heic", [1]);
        Directory.CreateDirectory(Path.Combine(_folder.Path, "a"));

        using var source = ImageSource.Open(_folder.Path);
        Assert.Equal(["a", "b", "c"], source.ClassNames);
        Assert.Equal(1, Assert.Single(source.Images).Label);
        Assert.Equal("c/1.heic", Assert.Single(source.LeftOut).Name);
        Assert.Contains("a, c", Assert.Single(source.Notes), StringComparison.Ordinal);
        Assert.Equal(source.LeftOut, source.Take(1).LeftOut);
    }

    [Fact]
    public void A_folder_that_cannot_be_entered_is_told_and_a_link_that_leads_back_is_not_entered()
    {
        _folder.Write("a/1.pgm", TemporaryFolder.Pixel(1));
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "a", "back"), _folder.Path);
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "round"), Path.Combine(_folder.Path, "round"));
        using (var source = ImageSource.Open(_folder.Path))
            Assert.Equal("a/1.pgm", Assert.Single(source.Images).Name);

        using var elsewhere = new TemporaryFolder();
        elsewhere.Write("x/2.pgm", TemporaryFolder.Pixel(2));
        Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "b"), Path.Combine(elsewhere.Path, "x"));
        using var linked = ImageSource.Open(_folder.Path);
        Assert.Equal(["a/1.pgm", "b/2.pgm"], linked.Images.Select(i => i.Name));
        Assert.Equal(["a", "b"], linked.ClassNames);
    }

    [Fact]
    public void Samples_are_drawn_by_seed()
    {
        using var source = ImageSource.Open(_folder.WriteZip("set.zip", [.. Enumerable.Range(0, 100).Select(i => ($"{i:D3}.pgm", TemporaryFolder.Pixel((byte)i)))]));
        string[] Names(ImageSource s) => [.. s.Images.Select(i => i.Name)];

        ImageSource drawn = source.Sample(20, seed: 3);
        Assert.Equal(Names(drawn), Names(source.Sample(20, seed: 3)));
        Assert.NotEqual(Names(drawn), Names(source.Sample(20, seed: 4)));
        Assert.Equal(20, Names(drawn).Distinct().Count());
        Assert.Equal(int.Parse(drawn.Images[7].Name[..3]), drawn.Decode(7).Pixels[0]);
        Assert.Equal(Names(source), Names(source.Sample(1000, seed: 5)).Order(StringComparer.Ordinal));
        Assert.Equal(["000.pgm", "001.pgm"], Names(source.Take(2)));
        Assert.Equal(Names(source.Sample(100, seed: 3))[..20], Names(drawn));
    }

    [Fact]
    public void Nothing_to_read_is_an_error_that_names_the_path()
    {
        Assert.Throws<FileNotFoundException>(() => ImageSource.Open(Path.Combine(_folder.Path, "absent")));
        Assert.Throws<FileNotFoundException>(() => ImageSource.OpenFiles([Path.Combine(_folder.Path, "absent.png")]));
        Assert.Contains(_folder.Path, Assert.Throws<InvalidDataException>(() => ImageSource.Open(_folder.Path)).Message);
        Assert.Contains("bad.zip", Assert.Throws<InvalidDataException>(() => ImageSource.Open(_folder.Write("bad.zip", "no archive"))).Message);
        Assert.Contains("empty.zip", Assert.Throws<InvalidDataException>(() => ImageSource.Open(_folder.WriteZip("empty.zip"))).Message);
    }

    [Fact]
    public void Single_files_keep_their_order()
    {
        string b = _folder.Write("b.pgm", TemporaryFolder.Pixel(2)), a = _folder.Write("a.pgm", TemporaryFolder.Pixel(1));

        using (var one = ImageSource.Open(b))
            Assert.Equal([2, 2, 2], one.Decode(0).Pixels);
        using var both = ImageSource.OpenFiles([b, a]);
        Assert.Equal([b, a], both.Images.Select(i => i.Name));
        Assert.Equal([1, 1, 1], both.Decode(1).Pixels);
    }

    [Fact]
    public void A_bad_image_is_named()
    {
        using var source = ImageSource.Open(_folder.WriteZip("set.zip", ("broken.png", [1, 2, 3])));

        InvalidImageException e = Assert.Throws<InvalidImageException>(() => source.Decode(0));
        Assert.Contains("broken.png", e.Message);
        Assert.Contains("set.zip", e.Message);
    }
}
